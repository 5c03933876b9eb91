// @ts-check
/**
 * The connection status: the connection of the page, and the age of its data.
 *
 * An open connection is not enough to say "Live": a message must have arrived recently. Problems are shown only after a
 * grace period, because short ones concern nobody.
 */
import { messageTime } from "../../petstore/connection/liveness.js";
import { parseTime } from "../../petstore/connection/server-clock.js";
import { agoText, momentText } from "./time-text.js";
/** @import { Clock } from "../../petstore/clock.js" */
/** @import { EventLoopMonitor } from "../../petstore/connection/event-loop-monitor.js" */
/** @import { ConnectionState } from "../../petstore/connection/handover.js" */
/** @import { Message } from "../../petstore/protocol/message.js" */
/** @import { TransportName } from "../../petstore/transports/transport.js" */
/** @import { ServerClock } from "../../petstore/connection/server-clock.js" */

/**
 * @typedef {object} Status
 * @property {"connecting" | "live" | "polling" | "delayed" | "offline" | "paused"} state
 * @property {"fresh" | "paused" | "stale"} freshness  Of the data on the page: up to date, held on request, or old.
 * @property {string} text  E.g. "Live".
 * @property {string} [details]  E.g. "WebSocket, last message 3 s ago". Changes every second.
 * @property {TransportName} [transport]  The transport in use.
 */

/** Time that a problem must last before the page mentions it. */
const GRACE_MS = 3_000;

/** @type {Record<TransportName, string>} */
export const TRANSPORT_NAMES = {
  ws: "WebSocket",
  sse: "Server-Sent Events",
  poll: "Long polling",
  short: "Short polling",
};

const LIVE = { state: /** @type {const} */ ("live"), text: "Live" };
const POLLING = { state: /** @type {const} */ ("polling"), text: "Live, with a short delay" };
const DELAYED = {
  state: /** @type {const} */ ("delayed"),
  text: "Delayed: your network blocks live updates, so we check every few seconds.",
};

/** If the newest change is this late because the page is busy, the page says so. */
const BEHIND_LIMIT_MS = 2_000;

/** An event loop that has been saturated for less time may just be drawing a batch of changes. */
const BACKLOG_MS = 500;

const BUSY_TEXT = "Delayed: this device is too busy to keep up.";

export class ConnectionStatus {
  #clock;
  #serverClock;
  #eventLoop;
  /** Age of the newest message when it was handled. */
  #behindMs = 0;
  /** @type {TransportName | null} The last one that was up. */
  #transport = null;
  #silenceLimitMs = 0;
  /** @type {number | null} When the last message arrived; null before the first. */
  #receivedAt = null;
  /** @type {number | null} When the connection was lost; null while connected, and during the first attempt. */
  #lostAt = null;
  /** @type {number | null} Since when the network is known to block the streaming transports. */
  #delayedAt = null;
  /** @type {{ receivedAt: number, since: number } | null} `since`: server time from which the database is unreachable. */
  #outage = null;
  /** @type {number | null} Server time of the data that is shown while paused. */
  #pausedAsOf = null;
  #pageAsOf;

  /**
   * @param {object} options
   * @param {Clock} options.clock
   * @param {ServerClock} options.serverClock
   * @param {Pick<EventLoopMonitor, "probe" | "saturatedMs">
   *   } options.eventLoop
   * @param {number} options.asOf  Server time at which the page was rendered.
   */
  constructor({ clock, serverClock, eventLoop, asOf }) {
    this.#clock = clock;
    this.#serverClock = serverClock;
    this.#eventLoop = eventLoop;
    this.#pageAsOf = asOf;
  }

  /** @param {ConnectionState} state */
  setConnection(state) {
    if (state.phase === "up") {
      this.#transport = state.transport;
      this.#silenceLimitMs = state.silenceLimitMs;
      this.#lostAt = null;
      const isDelayed = state.delayed === true || state.transport === "short";
      this.#delayedAt = isDelayed ? (this.#delayedAt ?? this.#clock.now()) : null;
    } else if (state.phase === "down") {
      this.disconnected();
    }
  }

  /** The connection is lost, or the browser reports that the network is. The next message takes this back. */
  disconnected() {
    this.#lostAt ??= this.#clock.now();
  }

  /** @param {Message} message */
  receive(message) {
    const now = this.#clock.now();
    this.#receivedAt = now;
    this.#lostAt = null;
    this.#eventLoop.probe();
    const madeMs = messageTime(message);
    if (madeMs !== null) this.#behindMs = this.#serverClock.lagMs(madeMs);
    if (message.type !== "stale") this.#outage = null;
    else this.#outage ??= { receivedAt: now, since: parseTime(message.since) ?? this.#asOf() };
  }

  pause() {
    this.#pausedAsOf ??= this.#asOf();
  }

  resume() {
    this.#pausedAsOf = null;
  }

  /** @returns {Status} Changes with time alone, so call this every second. */
  current() {
    if (this.#pausedAsOf !== null) {
      const text = `Paused. Showing what we knew at ${this.#timeText(this.#pausedAsOf)}.`;
      return { state: "paused", freshness: "paused", text };
    }
    const since = this.#timeText(this.#asOf());
    if (this.#isOffline()) {
      return { state: "offline", freshness: "stale", text: `Offline. Showing what we knew at ${since}.` };
    }
    if (this.#outage && this.#hasLasted(this.#outage.receivedAt)) {
      const text = `The server can't reach its database. Showing what we knew at ${since}.`;
      return { state: "offline", freshness: "stale", text };
    }
    if (this.#transport === null || this.#receivedAt === null) {
      return { state: "connecting", freshness: "fresh", text: "Connecting…" };
    }
    const transport = this.#transport;
    const isDelayed = this.#delayedAt !== null && this.#hasLasted(this.#delayedAt);
    if (!isDelayed && this.#isBehind()) {
      const details = `${Math.floor(this.#behindMs / 1000)} s behind`;
      return { state: "delayed", freshness: "fresh", text: BUSY_TEXT, details, transport };
    }
    const isStream = transport === "ws" || transport === "sse";
    const details = `${TRANSPORT_NAMES[transport]}, last message ${agoText(this.#clock.now() - this.#receivedAt)}`;
    return { ...(isDelayed ? DELAYED : isStream ? LIVE : POLLING), freshness: "fresh", details, transport };
  }

  /** Returns true if changes are shown late because the page is busy. An idle page has drawn them all. */
  #isBehind() {
    const saturatedMs = this.#eventLoop.saturatedMs();
    if (saturatedMs === 0) this.#behindMs = 0;
    return this.#behindMs >= BEHIND_LIMIT_MS && saturatedMs >= BACKLOG_MS;
  }

  #isOffline() {
    const isLost = this.#lostAt !== null && this.#hasLasted(this.#lostAt);
    // The link's own timeout detects silence too, but its timer is late in a tab that slept.
    const isSilent = this.#receivedAt !== null && this.#hasLasted(this.#receivedAt, this.#silenceLimitMs + GRACE_MS);
    return isLost || isSilent;
  }

  /** @param {number} since  By this machine's clock. If it was set back the age is unknown, and counts as too long. */
  #hasLasted(since, limitMs = GRACE_MS) {
    return Math.abs(this.#clock.now() - since) >= limitMs;
  }

  /** Server time at which the data was true. */
  #asOf() {
    if (this.#outage !== null) return this.#outage.since;
    return this.#receivedAt === null ? this.#pageAsOf : this.#serverClock.at(this.#receivedAt);
  }

  /** @param {number} ms  Server time. */
  #timeText(ms) {
    return momentText(ms, this.#serverClock.now());
  }
}
