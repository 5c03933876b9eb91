// @ts-check
/**
 * How far the page can be believed, as one line: live and heard when, or not, and then as of when.
 *
 * "Live" is never said on the strength of an open connection. It takes a message that was heard recently;
 * a blip shorter than the grace is not worth alarming anybody.
 */
import { clockText, heardText } from "./time-text.js";
import { parseTime } from "./server-clock.js";

/** @typedef {import("../live/connection.js").ConnectionState} ConnectionState */
/** @typedef {"connecting" | "live" | "polling" | "offline" | "paused"} LineState */
/** @typedef {{ state: LineState, text: string }} Line */

/** How long a lost connection may take to come back before the page says so. */
const GRACE_MS = 3_000;

const LIVE_TEXT = { ws: "Live over WebSocket", sse: "Live over SSE", poll: "Polling" };

export class Freshness {
  #clock;
  #serverClock;
  /** @type {import("../live/transport.js").TransportName | null} The last that was up. */
  #transport = null;
  #silenceLimitMs = 0;
  /** @type {number | null} When a message was last heard; null before the first. */
  #heardAt = null;
  /** @type {number | null} Since when nothing is connected; null while something is, and during the first try. */
  #lostAt = null;
  /** @type {number | null} Server time from which the store is out of reach. */
  #staleSince = null;
  /** @type {number | null} Server time of what is shown while paused. */
  #pausedAsOf = null;
  #pageAsOf;

  /**
   * @param {object} parts
   * @param {import("../live/clock.js").Clock} parts.clock
   * @param {import("./server-clock.js").ServerClock} parts.serverClock
   * @param {number} parts.asOf  Server time at which the page was drawn.
   */
  constructor({ clock, serverClock, asOf }) {
    this.#clock = clock;
    this.#serverClock = serverClock;
    this.#pageAsOf = asOf;
  }

  /** @param {ConnectionState} state */
  connection(state) {
    if (state.phase === "up") {
      this.#transport = state.transport;
      this.#silenceLimitMs = state.silenceLimitMs;
      this.#lostAt = null;
    } else if (state.phase === "down") {
      this.lose();
    }
  }

  /** The connection is gone, or the browser says that the network is. Being heard again takes it back. */
  lose() {
    this.#lostAt ??= this.#clock.now();
  }

  /** @param {import("../live/message.js").Message} message */
  hear(message) {
    this.#heardAt = this.#clock.now();
    this.#lostAt = null;
    this.#staleSince = message.type === "stale" ? (parseTime(message.since) ?? this.#asOf()) : null;
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
      return { state: "paused", text: `Paused, as of ${clockText(this.#pausedAsOf)}` };
    }
    if (this.#isOffline() || this.#staleSince !== null) {
      return { state: "offline", text: `Offline, as of ${clockText(this.#asOf())}` };
    }
    if (this.#transport === null || this.#heardAt === null) return { state: "connecting", text: "Connecting…" };
    return {
      state: this.#transport === "poll" ? "polling" : "live",
      text: `${LIVE_TEXT[this.#transport]} · heard ${heardText(this.#clock.now() - this.#heardAt)}`,
    };
  }

  #isOffline() {
    const now = this.#clock.now();
    const isLost = this.#lostAt !== null && now - this.#lostAt >= GRACE_MS;
    // The connection's own watch would say so too, but its timer is late in a tab that slept.
    const isSilent = this.#heardAt !== null && now - this.#heardAt >= this.#silenceLimitMs + GRACE_MS;
    return isLost || isSilent;
  }

  /** Server time at which what is shown was true. */
  #asOf() {
    if (this.#staleSince !== null) return this.#staleSince;
    return this.#heardAt === null ? this.#pageAsOf : this.#serverClock.at(this.#heardAt);
  }
}
