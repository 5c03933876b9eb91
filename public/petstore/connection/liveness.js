// @ts-check
/**
 * Checks that the messages of a link arrive in time, and each without waiting for the next one.
 *
 * It has no clock and no timer: it judges each message as it arrives, and says how long the silence after it may last.
 */
import { parseTime } from "./server-clock.js";
/** @import { Message } from "../protocol/message.js" */
/** @import { TransportName } from "../transports/transport.js" */
/** @import { ServerClock } from "./server-clock.js" */

/**
 * How much of a message's delay the page itself can have caused.
 * @typedef {object} Load
 * @property {number} awakeMs  For how long the page has been running without a break.
 * @property {number} saturatedMs  For how long its event loop has been saturated: see `EventLoopMonitor`.
 */

/** The server's default, for a `hello` without `heartbeat_ms`. */
const DEFAULT_HEARTBEAT_MS = 15_000;

/** Margin for a slow network. */
const SILENCE_MARGIN_MS = 2_000;

/** The longest allowed lag behind the fastest message. */
const LAG_LIMIT_MS = 3_000;

/** Over SSE, the server sends a heartbeat within this time after any other message, unless something else follows. */
const FOLLOW_UP_MS = 250;

/** Messages that were sent within this time arrive together on many networks that buffer nothing. */
const MIN_GAP_MS = 500;

/** Accuracy of the estimated server time. */
const CLOCK_ERROR_MS = 50;

/** After this many consecutive messages that came only with the next one, something buffers them. */
const BUFFERED_LIMIT = 3;

/**
 * A proxy that collects a stream until its buffer is full delivers it in clumps. If these hold this much of the stream,
 * polling is faster, unless its round trip takes even longer.
 */
const CLUMP_MS = 300;
const CLUMPS_MS = 1_500;

/** A single clump counts at most as this much: it may be a lost packet. */
const CLUMP_LIMIT_MS = 1_000;

/** A message that arrives within this time after another one belongs to the same clump. */
const TOGETHER_MS = 25;

/** Returns the longest silence of a live stream: one and a half heartbeats, and the margin. */
export const silenceLimit = (/** @type {number} */ heartbeatMs) => heartbeatMs * 1.5 + SILENCE_MARGIN_MS;

export class Liveness {
  heartbeatMs = DEFAULT_HEARTBEAT_MS;
  #serverClock;
  #isStream;
  #isSse;
  #isFollowUpDue = false;
  /** Server time of `hello`. A status from before it was missed earlier, and its age is not a delay. */
  #helloMs = Infinity;
  /**
   * The last message with a time. `arrivedMs` is the earliest server time at which it can have reached this browser.
   * @type {{ sentMs: number, arrivedMs: number, awakeMs: number } | null}
   */
  #last = null;
  #buffered = 0;
  /** The last messages that arrived together: when the first and the last were sent, and arrived. */
  #clump = { sentMs: 0, arrivedMs: 0, lastSentMs: 0, lastArrivedMs: 0 };
  /** How much the clumps held that arrived one after the other. */
  #clumpsMs = 0;
  /** Something on the way buffers the messages, which will not change. */
  isBuffered = false;
  #pollMs;

  /**
   * @param {object} options
   * @param {TransportName} options.name
   * @param {ServerClock} options.serverClock
   * @param {() => number} [options.pollMs]  Returns how long a poll takes on this network.
   */
  constructor({ name, serverClock, pollMs = () => 0 }) {
    this.#serverClock = serverClock;
    this.#pollMs = pollMs;
    // A poll response is as late as its request, so its lag means nothing.
    this.#isStream = name === "ws" || name === "sse";
    this.#isSse = name === "sse";
  }

  /** The longest silence of a live link. */
  get silenceLimitMs() {
    return silenceLimit(this.heartbeatMs);
  }

  /** Time limit for the next message. */
  get timeoutMs() {
    return this.#isFollowUpDue ? FOLLOW_UP_MS + LAG_LIMIT_MS : this.silenceLimitMs;
  }

  /** Why the link ends if no message arrives before the timeout. */
  get timeoutReason() {
    return this.#isFollowUpDue ? /** @type {const} */ ("lag") : /** @type {const} */ ("silent");
  }

  /**
   * @param {Message} message
   * @param {Load} load  Delay that the page caused is not held against the link.
   * @returns {boolean} True if the message came in time.
   */
  receive(message, { awakeMs, saturatedMs }) {
    // In hello, and in the answer to a request for another interval.
    if (message.heartbeat_ms > 0) this.heartbeatMs = message.heartbeat_ms;
    if (message.type === "hello") {
      this.#helloMs = parseTime(message.server_time) ?? Infinity;
    }
    this.#isFollowUpDue = this.#isSse && message.type !== "heartbeat";
    const sentMs = this.#isStream ? this.#sentMs(message) : null;
    if (sentMs === null) return true;
    const lagMs = this.#serverClock.lagMs(sentMs);
    const isLate = lagMs - saturatedMs > LAG_LIMIT_MS && awakeMs >= lagMs;
    const waits = this.#waitsForNext(sentMs, sentMs + lagMs - saturatedMs, awakeMs);
    this.isBuffered = this.#comesInClumps(sentMs, lagMs, saturatedMs > 0 || awakeMs < lagMs) || waits;
    return !isLate && !this.isBuffered;
  }

  /**
   * @param {Message} message
   * @returns {number | null} When the server sent it; null if that is not known.
   */
  #sentMs(message) {
    const sentMs = messageTime(message);
    return message.type === "status" && sentMs !== null && sentMs < this.#helloMs ? null : sentMs;
  }

  /**
   * Returns true if each message arrives only with the next one, as with some antivirus programs.
   * @param {number} sentMs
   * @param {number} arrivedMs
   * @param {number} awakeMs
   */
  #waitsForNext(sentMs, arrivedMs, awakeMs) {
    const last = this.#last;
    this.#last = { sentMs, arrivedMs, awakeMs };
    const gapMs = last === null ? 0 : sentMs - last.sentMs;
    if (!this.#isSse || last === null || gapMs < MIN_GAP_MS) return false;
    const cameWithNext = last.arrivedMs + CLOCK_ERROR_MS >= sentMs && last.awakeMs >= gapMs;
    this.#buffered = cameWithNext ? this.#buffered + 1 : 0;
    return this.#buffered >= BUFFERED_LIMIT;
  }

  /**
   * Returns true if the stream arrives in clumps, one after the other. A slow network delays each message for itself, and a
   * lost packet makes one clump.
   * @param {number} sentMs
   * @param {number} lagMs
   * @param {boolean} isPageSlow  Then it handles messages together that arrived one by one.
   */
  #comesInClumps(sentMs, lagMs, isPageSlow) {
    if (!this.#isSse) return false;
    const arrivedMs = sentMs + lagMs;
    const { sentMs: firstSentMs, arrivedMs: firstArrivedMs, lastSentMs, lastArrivedMs } = this.#clump;
    if (arrivedMs - lastArrivedMs <= TOGETHER_MS) {
      this.#clump.lastSentMs = sentMs;
      this.#clump.lastArrivedMs = arrivedMs;
    } else {
      // By how much the clump is shorter than what it contains.
      const heldMs = lastSentMs - firstSentMs - (lastArrivedMs - firstArrivedMs);
      const isClump = heldMs >= Math.max(CLUMP_MS, 2 * this.#pollMs());
      this.#clumpsMs = isClump ? this.#clumpsMs + Math.min(heldMs, CLUMP_LIMIT_MS) : 0;
      this.#clump = { sentMs, arrivedMs, lastSentMs: sentMs, lastArrivedMs: arrivedMs };
    }
    if (isPageSlow) this.#clumpsMs = 0;
    return this.#clumpsMs >= CLUMPS_MS;
  }
}

/**
 * @param {Message} message
 * @returns {number | null} The server time at which it was made; null if it has none.
 */
export function messageTime(message) {
  if (message.type !== "status") return parseTime(message.server_time);
  // A status that an undo restored began before it was committed: then `at` is the time of the commit.
  return parseTime(message.at ?? message.since);
}

/**
 * Returns true if a hello is so late that its link would be useless.
 * @param {TransportName} name
 * @param {Message} hello
 * @param {ServerClock} serverClock
 * @param {Load} load
 */
export function isHelloLate(name, hello, serverClock, load) {
  return !new Liveness({ name, serverClock }).receive(hello, load);
}
