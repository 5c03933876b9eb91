// @ts-check
/**
 * Summarizes the connection for people: one of five states, from the phase of the connection and the age of its messages.
 *
 * An open connection is not enough to be "live": a message must have arrived recently. Problems count only after a grace
 * period, because short ones concern nobody.
 */
import { MessageLag } from "./connection/message-lag.js";
import { parseTime } from "./connection/server-clock.js";
/** @import { Clock } from "./clock.js" */
/** @import { EventLoopMonitor } from "./connection/event-loop-monitor.js" */
/** @import { ConnectionState } from "./connection/handover.js" */
/** @import { ServerClock } from "./connection/server-clock.js" */
/** @import { Message } from "./protocol/message.js" */
/** @import { ShownTransport } from "./transports/transport.js" */

/**
 * - `connecting`: the first attempt.
 * - `live`: changes arrive immediately.
 * - `polling`: changes arrive with the next response, after a short delay; over `log` after a few seconds.
 * - `delayed`: changes arrive seconds late.
 * - `offline`: what is shown may be old.
 * @typedef {object} Summary
 * @property {"connecting" | "live" | "polling" | "delayed" | "offline"} state
 * @property {ShownTransport | null} transport  The transport in use; null while connecting and offline.
 * @property {"busy" | "late" | "network" | "database"} [reason]  `busy`: this device cannot keep up; `late`: messages are
 *   late on the network; `network`: it blocks the streaming transports; `database`: the server cannot reach it.
 * @property {number} asOf  Server time at which the data was true, in milliseconds since 1970.
 * @property {number} silentMs  Time since the last message.
 * @property {number} behindMs  Age of the newest message when it was handled; 0 once the page has been idle since.
 */

/** Time that a problem must last before it counts. */
const GRACE_MS = 3_000;

/** The newest message may be this late, because of this page or of the network. The page is never live with older data. */
const BUSY_LIMIT_MS = 2_000;
const LATE_LIMIT_MS = 3_000;

export class ConnectionSummary {
  #clock;
  #serverClock;
  #lag;
  /** @type {ShownTransport | null} The last one that was up. */
  #transport = null;
  #silenceLimitMs = 0;
  /** @type {number | null} When the last message arrived; null before the first. */
  #receivedAt = null;
  /** @type {number | null} When the connection was lost; null while connected, and during the first attempt. */
  #lostAt;
  /** @type {number | null} Since when the network is known to block the streaming transports. */
  #delayedAt = null;
  /** @type {{ receivedAt: number, since: number } | null} `since`: server time from which the database is unreachable. */
  #outage = null;
  #pageAsOf;

  /**
   * @param {object} options
   * @param {Clock} options.clock
   * @param {ServerClock} options.serverClock
   * @param {Pick<EventLoopMonitor, "probe" | "saturatedMs">} options.eventLoop
   * @param {number} options.asOf  Server time of what is shown before the first message.
   * @param {boolean} [options.isOffline]  True if what is shown did not come over the network now.
   */
  constructor({ clock, serverClock, eventLoop, asOf, isOffline }) {
    this.#clock = clock;
    this.#serverClock = serverClock;
    this.#lag = new MessageLag({ clock, serverClock, eventLoop });
    this.#pageAsOf = asOf;
    this.#lostAt = isOffline ? 0 : null;
  }

  /** @param {ConnectionState} state */
  setConnection(state) {
    if (state.phase === "up") {
      this.#transport = state.transport;
      this.#silenceLimitMs = state.silenceLimitMs;
      this.#lostAt = null;
      const isDelayed = state.transport === "short";
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
    this.#lag.receive(message);
    if (message.type !== "stale") this.#outage = null;
    else this.#outage ??= { receivedAt: now, since: parseTime(message.since) ?? this.asOf };
  }

  /** Server time at which the data was true. */
  get asOf() {
    if (this.#outage !== null) return this.#outage.since;
    return this.#receivedAt === null ? this.#pageAsOf : this.#serverClock.at(this.#receivedAt);
  }

  /** @returns {Summary} Changes with time alone, so call this every second. */
  current() {
    const silentMs = this.#clock.now() - (this.#receivedAt ?? this.#clock.now());
    const { networkMs, pageMs } = this.#lag.current;
    const [state, reason] = this.#judge(networkMs, pageMs);
    const transport = state === "offline" || state === "connecting" ? null : this.#transport;
    return { state, transport, reason, asOf: this.asOf, silentMs, behindMs: networkMs + pageMs };
  }

  /**
   * @param {number} networkMs @param {number} pageMs  How much of the delay either of them caused.
   * @returns {[Summary["state"], Summary["reason"]?]}
   */
  #judge(networkMs, pageMs) {
    if (this.#isOffline()) return ["offline"];
    if (this.#outage && this.#hasLasted(this.#outage.receivedAt)) return ["offline", "database"];
    if (this.#transport === null || this.#receivedAt === null) return ["connecting"];
    if (this.#delayedAt !== null && this.#hasLasted(this.#delayedAt)) return ["delayed", "network"];
    const isBusy = pageMs >= networkMs;
    const limitMs = isBusy ? BUSY_LIMIT_MS : this.#transport === "log" ? Infinity : LATE_LIMIT_MS;
    if (networkMs + pageMs >= limitMs) return ["delayed", isBusy ? "busy" : "late"];
    return [this.#transport === "ws" || this.#transport === "sse" ? "live" : "polling"];
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
}
