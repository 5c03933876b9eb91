// @ts-check
/**
 * Whether a link proves itself by what arrives on it: in time, and not only when the next thing is sent.
 *
 * Without clock or timer. It is told each message as it comes and says what is wrong with it, and it says how long
 * the silence after it may last.
 */
import { parseTime } from "./server-clock.js";

/** @typedef {import("../live/transports/message.js").Message} Message */
/** @typedef {import("../live/transports/transport.js").TransportName} TransportName */

/**
 * How much of a message's delay can be the page's own.
 * @typedef {object} Load
 * @property {number} awakeMs  For how long the page has been running without a break.
 * @property {number} saturatedMs  For how long its event loop has had more to do than it can: see `EventLoop`.
 */

/** The server's own default, for a `hello` that does not say. */
const DEFAULT_HEARTBEAT_MS = 15_000;

/** Added to one and a half heartbeats, for a slow line. */
const SILENCE_MARGIN_MS = 2_000;

/** The most that a message may lag behind the quickest. */
const LAG_LIMIT_MS = 3_000;

/** Over SSE, whatever is no heartbeat is followed by one within this, unless by something else. */
const FOLLOW_MS = 250;

/** Messages sent closer together than this arrive together on many a network that holds nothing back. */
const HELD_GAP_MS = 500;

/** How well the two clocks are known to stand to each other. */
const CLOCK_ERROR_MS = 50;

/** So many messages in a row that came only once the next was sent are no accident. */
const HELD_LIMIT = 3;

export class Proof {
  heartbeatMs = DEFAULT_HEARTBEAT_MS;
  #serverClock;
  #isTimed;
  #isFollowed;
  #isFollowUpDue = false;
  /** Server time of `hello`. What was committed before it is told as what was missed, and is late by nature. */
  #helloMs = Infinity;
  /**
   * The last message with a time, in server time. `arrivedMs` is the earliest that it can have been in this browser.
   * @type {{ sentMs: number, arrivedMs: number, awakeMs: number } | null}
   */
  #last = null;
  #held = 0;

  /**
   * @param {object} parts
   * @param {TransportName} parts.name
   * @param {import("./server-clock.js").ServerClock} parts.serverClock
   */
  constructor({ name, serverClock }) {
    this.#serverClock = serverClock;
    // Answers to polls are as late as the question: there is no lag to see in them.
    this.#isTimed = name === "ws" || name === "sse";
    this.#isFollowed = name === "sse";
  }

  /** The longest silence that is still life. */
  get silenceLimitMs() {
    return this.heartbeatMs * 1.5 + SILENCE_MARGIN_MS;
  }

  /** How long the next message may take, after the one that was heard last. */
  get patienceMs() {
    return this.#isFollowUpDue ? FOLLOW_MS + LAG_LIMIT_MS : this.silenceLimitMs;
  }

  /** What it means when that has passed and nothing came. */
  get silence() {
    return this.#isFollowUpDue ? /** @type {const} */ ("lag") : /** @type {const} */ ("silent");
  }

  /**
   * @param {Message} message
   * @param {Load} load  What waited for the page itself is not the network's fault.
   * @returns {boolean} Whether it came in time.
   */
  hear(message, { awakeMs, saturatedMs }) {
    if (message.type === "hello") this.#greet(message);
    this.#isFollowUpDue = this.#isFollowed && message.type !== "heartbeat";
    const sentMs = this.#isTimed ? this.#sentMs(message) : null;
    if (sentMs === null) return true;
    const lagMs = this.#serverClock.lagMs(sentMs);
    const isLate = lagMs - saturatedMs > LAG_LIMIT_MS && awakeMs >= lagMs;
    return !isLate && !this.#isHeld(sentMs, sentMs + lagMs - saturatedMs, awakeMs);
  }

  /** @param {Message} hello */
  #greet(hello) {
    if (hello.heartbeat_ms > 0) this.heartbeatMs = hello.heartbeat_ms;
    this.#helloMs = parseTime(hello.server_time) ?? Infinity;
  }

  /**
   * @param {Message} message
   * @returns {number | null} When the server sent it; null when that is not known.
   */
  #sentMs(message) {
    const sentMs = timeOf(message);
    return message.type === "status" && sentMs !== null && sentMs < this.#helloMs ? null : sentMs;
  }

  /**
   * Some antivirus passes each event on only when the next one comes.
   * @param {number} sentMs
   * @param {number} arrivedMs
   * @param {number} awakeMs
   */
  #isHeld(sentMs, arrivedMs, awakeMs) {
    const last = this.#last;
    this.#last = { sentMs, arrivedMs, awakeMs };
    const gapMs = last === null ? 0 : sentMs - last.sentMs;
    if (!this.#isFollowed || last === null || gapMs < HELD_GAP_MS) return false;
    this.#held = last.arrivedMs + CLOCK_ERROR_MS >= sentMs && last.awakeMs >= gapMs ? this.#held + 1 : 0;
    return this.#held >= HELD_LIMIT;
  }
}

/**
 * @param {Message} message
 * @returns {number | null} Server time at which a message was made; null where it does not say.
 */
export function timeOf(message) {
  if (message.type !== "status") return parseTime(message.server_time);
  // `since` is when it was committed, unless the message says that apart: a restored status began long before.
  return parseTime(message.at ?? message.since);
}

/**
 * Whether a `hello` comes too late for the link to be of use.
 * @param {TransportName} name
 * @param {Message} hello
 * @param {import("./server-clock.js").ServerClock} serverClock
 * @param {Load} load
 */
export function isLate(name, hello, serverClock, load) {
  return !new Proof({ name, serverClock }).hear(hello, load);
}
