// @ts-check
/** The connection of a page: the transports in their order, with what the browser has to build them from. */
import { Connection } from "./connection.js";
import { Health } from "./health.js";
import { Memory } from "./memory.js";
import { PollTransport } from "./poll.js";
import { ShortTransport } from "./short.js";
import { SseTransport } from "./sse.js";
import { WsTransport } from "./ws.js";

/**
 * What the network code needs of a browser. A constructor may be missing: its transport then fails, and another wins.
 * @typedef {object} Browser
 * @property {typeof WebSocket} WebSocket
 * @property {typeof EventSource} EventSource
 * @property {typeof fetch} fetch
 * @property {Storage} localStorage  Reading it may throw.
 * @property {Navigator & { connection?: { saveData?: boolean } }} navigator
 */

/**
 * @param {object} parts
 * @param {Browser} parts.browser
 * @param {import("./clock.js").Clock} parts.clock
 * @param {import("../state/server-clock.js").ServerClock} parts.serverClock  Learns from what arrives.
 * @param {() => number} parts.random
 * @param {import("./url.js").Watch} parts.watch
 * @param {() => string} parts.since
 */
export function openConnection({ browser, clock, serverClock, random, watch, since }) {
  const { WebSocket, EventSource } = browser;
  // Called as a function of the window: browsers refuse a `fetch` that was torn off it.
  const fetch = (/** @type {any} */ url, /** @type {any} */ options) => browser.fetch(url, options);
  const isFrugal = () => browser.navigator.connection?.saveData === true;
  const transports = {
    ws: () => new WsTransport({ WebSocket, watch, clock }),
    sse: () => new SseTransport({ EventSource, watch }),
    poll: () => new PollTransport({ fetch, watch, clock }),
    short: () => new ShortTransport({ fetch, watch, clock, isFrugal }),
  };
  const names = /** @type {import("./transport.js").TransportName[]} */ (Object.keys(transports));
  const memory = new Memory({ open: () => browser.localStorage, clock, names, chaos: watch.chaos });
  const health = new Health({ fetch, origin: watch.origin, clock });
  return new Connection({ clock, random, transports, since, serverClock, health, memory, isFrugal });
}
