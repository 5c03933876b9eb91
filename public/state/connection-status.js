// @ts-check
/**
 * How far the page can be believed, as one line: live and heard when, or not, and then since when.
 *
 * "Live" is never said on the strength of an open connection. It takes a message that was heard recently. What is
 * bad is not said before it has lasted for the grace: a blip is not worth alarming anybody.
 */
import { timeOf } from "./liveness.js";
import { heardText, momentText } from "./time-text.js";
import { parseTime } from "./server-clock.js";

/** @typedef {import("../live/connection/connection.js").ConnectionState} ConnectionState */
/** @typedef {"connecting" | "live" | "polling" | "delayed" | "offline" | "paused"} LineState */

/**
 * @typedef {object} Line
 * @property {LineState} state
 * @property {"fresh" | "paused" | "stale"} freshness  Of what the page shows: as new as it gets, held still on
 *   request, or the last that was known.
 * @property {string} text  How it is connected, e.g. "Live over WebSocket".
 * @property {string} [age]  How old what is shown is, to the second: "heard 3 s ago". Changes all the time.
 */

/** How long something bad may take to go away by itself before the page says so. */
const GRACE_MS = 3_000;

/** @type {Record<import("../live/transports/transport.js").TransportName, { state: LineState, text: string }>} */
const UP = {
  ws: { state: "live", text: "Live over WebSocket" },
  sse: { state: "live", text: "Live over SSE" },
  poll: { state: "polling", text: "Polling" },
  short: { state: "polling", text: "Polling" },
};

/** @type {{ state: LineState, text: string }} */
const DELAYED = {
  state: "delayed",
  text: "Delayed: this network holds back live messages, asking every few seconds",
};

/** How old the newest change on the page may be because of the page's own slowness, before the page says so. */
const BEHIND_LIMIT_MS = 2_000;

/** A page that has been saturated for less than this may just be drawing what came together. */
const BACKLOG_MS = 500;

const BUSY_TEXT = "Delayed: this device is too busy to show changes immediately";

export class Freshness {
  #clock;
  #serverClock;
  #eventLoop;
  /** How old the newest message was when it was handled. */
  #behindMs = 0;
  /** @type {import("../live/transports/transport.js").TransportName | null} The last that was up. */
  #transport = null;
  #silenceLimitMs = 0;
  /** @type {number | null} When a message was last heard; null before the first. */
  #heardAt = null;
  /** @type {number | null} Since when nothing is connected; null while something is, and during the first try. */
  #lostAt = null;
  /** @type {number | null} Since when the network is known to hold back the better transports. */
  #delayedAt = null;
  /** @type {{ heardAt: number, since: number } | null} `since`: server time from which the store is out of reach. */
  #outage = null;
  /** @type {number | null} Server time of what is shown while paused. */
  #pausedAsOf = null;
  #pageAsOf;

  /**
   * @param {object} parts
   * @param {import("../live/clock.js").Clock} parts.clock
   * @param {import("./server-clock.js").ServerClock} parts.serverClock
   * @param {Pick<import("../live/connection/event-loop-monitor.js").EventLoop, "probe" | "saturatedMs">} parts.eventLoop
   * @param {number} parts.asOf  Server time at which the page was drawn.
   */
  constructor({ clock, serverClock, eventLoop, asOf }) {
    this.#clock = clock;
    this.#serverClock = serverClock;
    this.#eventLoop = eventLoop;
    this.#pageAsOf = asOf;
  }

  /** @param {ConnectionState} state */
  connection(state) {
    if (state.phase === "up") {
      this.#transport = state.transport;
      this.#silenceLimitMs = state.silenceLimitMs;
      this.#lostAt = null;
      const isDelayed = state.delayed === true || state.transport === "short";
      this.#delayedAt = isDelayed ? (this.#delayedAt ?? this.#clock.now()) : null;
    } else if (state.phase === "down") {
      this.lose();
    }
  }

  /** The connection is gone, or the browser says that the network is. Being heard again takes it back. */
  lose() {
    this.#lostAt ??= this.#clock.now();
  }

  /** @param {import("../live/transports/message.js").Message} message */
  hear(message) {
    const now = this.#clock.now();
    this.#heardAt = now;
    this.#lostAt = null;
    this.#eventLoop.probe();
    const madeMs = timeOf(message);
    if (madeMs !== null) this.#behindMs = this.#serverClock.lagMs(madeMs);
    if (message.type !== "stale") this.#outage = null;
    else this.#outage ??= { heardAt: now, since: parseTime(message.since) ?? this.#asOf() };
  }

  pause() {
    this.#pausedAsOf ??= this.#asOf();
  }

  resume() {
    this.#pausedAsOf = null;
  }

  /** @returns {Line} What to say now; it changes with time alone, so ask again every second. */
  line() {
    if (this.#pausedAsOf !== null) {
      return { state: "paused", freshness: "paused", text: `Paused, as of ${this.#clockText(this.#pausedAsOf)}` };
    }
    const since = this.#clockText(this.#asOf());
    if (this.#isOffline()) {
      return { state: "offline", freshness: "stale", text: `Offline since ${since}, last known` };
    }
    if (this.#outage && this.#hasLasted(this.#outage.heardAt)) {
      const text = `Not up to date since ${since}: the server cannot reach its data`;
      return { state: "offline", freshness: "stale", text };
    }
    if (this.#transport === null || this.#heardAt === null) {
      return { state: "connecting", freshness: "fresh", text: "Connecting…" };
    }
    const isDelayed = this.#delayedAt !== null && this.#hasLasted(this.#delayedAt);
    if (!isDelayed && this.#isBehind()) {
      const age = `${Math.floor(this.#behindMs / 1000)} s behind`;
      return { state: "delayed", freshness: "fresh", text: BUSY_TEXT, age };
    }
    const up = isDelayed ? DELAYED : UP[this.#transport];
    return { ...up, freshness: "fresh", age: `heard ${heardText(this.#clock.now() - this.#heardAt)}` };
  }

  /** The changes on the page are old because the page cannot keep up. Once it has nothing to do, it has drawn them all. */
  #isBehind() {
    const saturatedMs = this.#eventLoop.saturatedMs();
    if (saturatedMs === 0) this.#behindMs = 0;
    return this.#behindMs >= BEHIND_LIMIT_MS && saturatedMs >= BACKLOG_MS;
  }

  #isOffline() {
    const isLost = this.#lostAt !== null && this.#hasLasted(this.#lostAt);
    // The connection's own watch would say so too, but its timer is late in a tab that slept.
    const isSilent = this.#heardAt !== null && this.#hasLasted(this.#heardAt, this.#silenceLimitMs + GRACE_MS);
    return isLost || isSilent;
  }

  /** @param {number} since  By this machine's clock. One that was set back says nothing: doubt is the safe side. */
  #hasLasted(since, limitMs = GRACE_MS) {
    return Math.abs(this.#clock.now() - since) >= limitMs;
  }

  /** Server time at which what is shown was true. */
  #asOf() {
    if (this.#outage !== null) return this.#outage.since;
    return this.#heardAt === null ? this.#pageAsOf : this.#serverClock.at(this.#heardAt);
  }

  /** @param {number} ms  Server time. */
  #clockText(ms) {
    return momentText(ms, this.#serverClock.now());
  }
}
