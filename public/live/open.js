// @ts-check
/** The connection of a page: the transports in their order, with what the browser has to build them from. */
import { Connection } from "./connection.js";
import { PollTransport } from "./poll.js";
import { SseTransport } from "./sse.js";
import { WsTransport } from "./ws.js";

/**
 * What the network code needs of a browser. A constructor may be missing: its transport then fails, and another wins.
 * @typedef {object} Browser
 * @property {typeof WebSocket} WebSocket
 * @property {typeof EventSource} EventSource
 * @property {typeof fetch} fetch
 */

/**
 * @param {object} parts
 * @param {Browser} parts.browser
 * @param {import("./clock.js").Clock} parts.clock
 * @param {() => number} parts.random
 * @param {import("./url.js").Watch} parts.watch
 * @param {() => string} parts.since
 */
export function openConnection({ browser, clock, random, watch, since }) {
  const { WebSocket, EventSource } = browser;
  // Called as a function of the window: browsers refuse a `fetch` that was torn off it.
  const fetch = (/** @type {any} */ url, /** @type {any} */ options) => browser.fetch(url, options);
  return new Connection({
    clock,
    random,
    since,
    transports: {
      ws: () => new WsTransport({ WebSocket, watch }),
      sse: () => new SseTransport({ EventSource, watch }),
      poll: () => new PollTransport({ fetch, watch, clock }),
    },
  });
}
