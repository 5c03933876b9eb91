// @ts-check
/**
 * The connection of a page: the transports in their order, with what the browser has to build them from, and shared
 * between the tabs where the browser can.
 */
import { Connection } from "./connection/connection.js";
import { Health } from "./connection/health-check.js";
import { Memory } from "./connection/transport-memory.js";
import { PollTransport } from "./transports/long-poll.js";
import { ShortTransport } from "./transports/short-poll.js";
import { SseTransport } from "./transports/sse.js";
import { askingServer } from "./tabs/catch-up.js";
import { SharedConnection } from "./tabs/shared-connection.js";
import { WsTransport } from "./transports/websocket.js";

/** The number is the version of the messages between tabs, in `tabs/notes.js`. */
const SHARE_NAME = "petstore-live-2";

/**
 * What the network code needs of a browser. A constructor may be missing: its transport then fails, and another wins.
 * Web Locks are there only in a secure context (https, or this machine itself); the tabs then do without.
 * @typedef {object} Browser
 * @property {typeof WebSocket} WebSocket
 * @property {typeof EventSource} EventSource
 * @property {typeof fetch} fetch
 * @property {Storage} localStorage  Reading it may throw.
 * @property {Omit<Navigator, "locks"> & { locks?: LockManager, connection?: { saveData?: boolean } }} navigator
 * @property {typeof BroadcastChannel} [BroadcastChannel]
 * @property {{ visibilityState: string }} document
 */

/**
 * @typedef {object} Parts
 * @property {Browser} browser
 * @property {import("./clock.js").Clock} clock
 * @property {import("../state/server-clock.js").ServerClock} serverClock  Learns from what arrives.
 * @property {import("./connection/event-loop-monitor.js").EventLoop} eventLoop
 * @property {() => number} random
 * @property {import("./transports/url.js").Watch} watch
 * @property {() => string} since
 */

/**
 * @param {Parts} parts
 * @returns {Connection | SharedConnection}
 */
export function openConnection(parts) {
  const { browser, clock, random, watch, since } = parts;
  const { BroadcastChannel, document } = browser;
  const { locks } = browser.navigator;
  if (!BroadcastChannel) return openOwn(parts);
  const everyPet = { ...watch, pets: [] };
  return new SharedConnection({
    clock,
    random,
    since,
    name: shareName(watch),
    pets: watch.pets,
    isHidden: () => document.visibilityState === "hidden",
    locks,
    BroadcastChannel,
    connect: () => openOwn({ ...parts, watch: everyPet }),
    missedSince: askingServer({ fetch: fetchOf(browser), watch: everyPet, clock }),
  });
}

/** @param {Parts} parts */
function openOwn({ browser, clock, serverClock, eventLoop, random, watch, since }) {
  const { WebSocket, EventSource } = browser;
  const fetch = fetchOf(browser);
  const isFrugal = () => browser.navigator.connection?.saveData === true;
  const transports = {
    ws: () => new WsTransport({ WebSocket, watch, clock }),
    sse: () => new SseTransport({ EventSource, watch }),
    poll: () => new PollTransport({ fetch, watch, clock }),
    short: () => new ShortTransport({ fetch, watch, clock, isFrugal }),
  };
  const names = /** @type {import("./transports/transport.js").TransportName[]} */ (Object.keys(transports));
  const memory = new Memory({ open: () => browser.localStorage, clock, names, chaos: watch.chaos });
  const health = new Health({ fetch, origin: watch.origin, clock });
  return new Connection({ clock, random, transports, since, serverClock, eventLoop, health, memory, isFrugal });
}

/**
 * Called as a function of the window: browsers refuse a `fetch` that was torn off it.
 * @param {Browser} browser
 * @returns {typeof fetch}
 */
function fetchOf(browser) {
  return (url, options) => browser.fetch(url, options);
}

/**
 * Of the lock and the channel that tabs share. A tab that tries out a restricted network must not restrict the others.
 * @param {import("./transports/url.js").Watch} watch
 */
function shareName({ chaos }) {
  return chaos ? `${SHARE_NAME} chaos=${chaos}` : SHARE_NAME;
}
