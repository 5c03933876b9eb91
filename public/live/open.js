// @ts-check
/**
 * The connection of a page: the transports in their order, with what the browser has to build them from, and shared
 * between the tabs where the browser can.
 */
import { Connection } from "./connection.js";
import { PollTransport } from "./poll.js";
import { SseTransport } from "./sse.js";
import { askingServer } from "./tabs/missed.js";
import { SharedConnection } from "./tabs/shared-connection.js";
import { WsTransport } from "./ws.js";

/** @typedef {import("./url.js").Watch} Watch */

/**
 * What the network code needs of a browser. A constructor may be missing: its transport then fails, and another wins.
 * Web Locks are there only in a secure context (https, or this machine itself).
 * @typedef {object} Browser
 * @property {typeof WebSocket} WebSocket
 * @property {typeof EventSource} EventSource
 * @property {typeof fetch} fetch
 * @property {{ locks?: LockManager }} [navigator]
 * @property {typeof BroadcastChannel} [BroadcastChannel]
 * @property {{ visibilityState: string }} [document]
 */

/**
 * @param {object} parts
 * @param {Browser} parts.browser
 * @param {import("./clock.js").Clock} parts.clock
 * @param {() => number} parts.random
 * @param {Watch} parts.watch
 * @param {() => string} parts.since
 * @returns {Connection | SharedConnection}
 */
export function openConnection({ browser, clock, random, watch, since }) {
  const { WebSocket, EventSource, BroadcastChannel, navigator, document } = browser;
  // Called as a function of the window: browsers refuse a `fetch` that was torn off it.
  const fetch = (/** @type {any} */ url, /** @type {any} */ options) => browser.fetch(url, options);
  const connect = (/** @type {Watch} */ watch) =>
    new Connection({
      clock,
      random,
      since,
      transports: {
        ws: () => new WsTransport({ WebSocket, watch }),
        sse: () => new SseTransport({ EventSource, watch }),
        poll: () => new PollTransport({ fetch, watch, clock }),
      },
    });

  const locks = navigator?.locks;
  if (!locks || !BroadcastChannel) return connect(watch);
  const everyPet = { ...watch, pets: [] };
  return new SharedConnection({
    clock,
    random,
    since,
    name: shareName(watch),
    pets: watch.pets,
    isHidden: () => document?.visibilityState === "hidden",
    locks,
    BroadcastChannel,
    connect: () => connect(everyPet),
    missedSince: askingServer({ fetch, watch: everyPet, clock }),
  });
}

/**
 * Of the lock and the channel that tabs share. A tab that tries out a restricted network must not restrict the others.
 * @param {Watch} watch
 */
function shareName({ chaos }) {
  return chaos ? `petstore-live chaos=${chaos}` : "petstore-live";
}
