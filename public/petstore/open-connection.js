// @ts-check
/** Builds the connection of a page from what the browser offers, and shares it between tabs where the browser can. */
import { CatchUp } from "./connection/catch-up.js";
import { Connection } from "./connection/connection.js";
import { HeartbeatInterval } from "./connection/heartbeat-interval.js";
import { HealthCheck } from "./connection/health-check.js";
import { TransportMemory } from "./connection/transport-memory.js";
import { SharedConnection } from "./tabs/shared-connection.js";
import { PollingTransport } from "./transports/polling.js";
import { SseTransport } from "./transports/sse.js";
import { nameOfNetwork } from "./transports/url.js";
import { WebSocketTransport } from "./transports/websocket.js";
/** @import { FirstPoll } from "./connection/catch-up.js" */
/** @import { ServerClock } from "./connection/server-clock.js" */
/** @import { Clock } from "./clock.js" */
/** @import { EventLoopMonitor } from "./connection/event-loop-monitor.js" */
/** @import { TransportName } from "./transports/transport.js" */
/** @import { Watch } from "./transports/url.js" */

/** Of the lock and the channel of tabs that share a connection. The number is the version of the messages in `tabs/tab-message.js`. */
const SHARE_NAME = "petstore-live-4";

/**
 * The browser APIs that the network code uses. A missing constructor makes its transport fail, and another one wins.
 * Web Locks exist only in a secure context (https, or this machine); tabs then elect their leader without them.
 * @typedef {object} Browser
 * @property {typeof WebSocket} WebSocket
 * @property {typeof EventSource} EventSource
 * @property {typeof fetch} fetch
 * @property {Storage} localStorage  Reading this property may throw.
 * @property {Omit<Navigator, "locks"> & { locks?: LockManager, connection?: { saveData?: boolean } }} navigator
 * @property {typeof BroadcastChannel} [BroadcastChannel]
 * @property {{ getEntriesByName: (name: string, type: string) => any[] }} [performance]
 * @property {{ visibilityState: string }} document
 */

/**
 * @typedef {object} Options
 * @property {Browser} browser
 * @property {Clock} clock
 * @property {ServerClock} serverClock  Synchronized with each message.
 * @property {EventLoopMonitor} eventLoop
 * @property {() => number} random
 * @property {Watch} watch
 * @property {() => string} since  Returns the cursor of the page.
 * @property {FirstPoll} [firstPoll]
 */

/** @param {Options} options */
export function openConnection(options) {
  const { browser, clock, random, watch, since } = options;
  const { BroadcastChannel, document } = browser;
  return new SharedConnection({
    clock,
    random,
    since,
    name: nameOfNetwork(SHARE_NAME, watch),
    pets: watch.pets,
    isHidden: () => document.visibilityState === "hidden",
    locks: browser.navigator.locks,
    BroadcastChannel,
    connect: (pets, position, isHidden) =>
      openUnshared({ ...options, watch: { ...watch, pets }, since: position }, isHidden),
    catchUp: createCatchUp(options),
  });
}

/** @param {Options} options @param {() => boolean} isHidden */
function openUnshared(options, isHidden) {
  const { browser, clock, serverClock, eventLoop, random, watch, since } = options;
  const { WebSocket, EventSource } = browser;
  const fetch = fetchOf(browser);
  const savesData = () => browser.navigator.connection?.saveData === true;
  const heartbeat = new HeartbeatInterval({ clock, isHidden });
  const polling = { fetch, watch, clock, nonce: createNonce(clock, random), heartbeat, savesData };
  const transports = {
    ws: () => new WebSocketTransport({ WebSocket, watch, clock, heartbeat }),
    sse: () => new SseTransport({ EventSource, watch, heartbeat }),
    poll: () => new PollingTransport("poll", polling),
    short: () => new PollingTransport("short", polling),
  };
  const names = /** @type {TransportName[]} */ (Object.keys(transports));
  const memory = new TransportMemory({ open: () => browser.localStorage, clock, names, watch });
  const health = new HealthCheck({ fetch, site: watch.site, clock });
  const catchUp = createCatchUp({ ...options, firstPoll: undefined });
  const shared = { clock, random, transports, since, serverClock, eventLoop, heartbeat, health, catchUp, memory, savesData };
  return new Connection(shared);
}

/** @param {Options} options */
function createCatchUp({ browser, clock, random, watch, firstPoll }) {
  const responseMs = (/** @type {string} */ url) => {
    const [timing] = browser.performance?.getEntriesByName(url, "resource") ?? [];
    return timing ? timing.responseStart - timing.requestStart : 0;
  };
  return new CatchUp({ fetch: fetchOf(browser), clock, nonce: createNonce(clock, random), watch, firstPoll, responseMs });
}

/**
 * Returns a function that returns words no request had before.
 * @param {Clock} clock
 * @param {() => number} random  Returns a number from 0 up to 1.
 */
function createNonce(clock, random) {
  return () => `${clock.now().toString(36)}-${random().toString(36).slice(2, 10)}`;
}

/**
 * Returns `fetch` bound to its window: browsers refuse to call it otherwise.
 * @param {Browser} browser
 * @returns {typeof fetch}
 */
function fetchOf(browser) {
  return (url, options) => browser.fetch(url, options);
}
