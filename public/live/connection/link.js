// @ts-check
/**
 * A transport that won, for as long as it keeps proving itself.
 *
 * It is up only while messages arrive, and arrive in time. The server promises one at least every heartbeat; silence
 * well beyond that means a link that is dead without saying so, and it ends like any other.
 */
import { isNewer } from "../../state/cursor.js";
import { isNews } from "../../state/news.js";
import { Proof } from "../../state/liveness.js";
import { Parts } from "../transports/snapshot-assembler.js";
import { ignore } from "../transports/transport.js";

/** @typedef {import("../transports/message.js").Message} Message */

/**
 * @typedef {object} LinkEnding
 * @property {"bye" | "died" | "silent" | "lag"} why  `bye`: the server said so, which says nothing against the transport.
 *   `lag`: what still comes is late, and is news all the same; the link delivers on until it is stopped.
 * @property {number} [retryMs]  How long the server asked us to stay away.
 */

/**
 * A link that was still heard this long after it began was of use. Time alone does not count: some networks let
 * `hello` through and hold back the rest, others kill the link a moment later, or whatever is five seconds old.
 */
const USEFUL_MS = 6_000;

/** For what waited while the page was asleep or busy to be heard after all. */
const LAST_CHANCE_MS = 1_000;

export class Link {
  /** @type {(message: Message) => void} */
  onmessage = ignore;
  /** @type {(ending: LinkEnding) => void} Once, and not after `stop`. */
  onend = ignore;
  name;
  transport;
  /** Which rungs the race had seen fail before this one won. */
  refused;
  #clock;
  #awake;
  #eventLoop;
  #serverClock;
  #proof;
  #hello;
  #parts = new Parts();
  /** Where it was opened. */
  #since;
  /** Where it is; "" until it has brought anything. */
  #cursor = "";
  /** Where it was before the message at hand. */
  #previous = "";
  #startedMs;
  #heardMs;
  #heardAt;
  #doubted = false;
  #hasEnded = false;
  #cancelWatch = ignore;

  /**
   * @param {object} parts
   * @param {import("../clock.js").Clock} parts.clock
   * @param {import("./sleep-detector.js").Awake} parts.awake
   * @param {import("./event-loop-monitor.js").EventLoop} parts.eventLoop
   * @param {import("../../state/server-clock.js").ServerClock} parts.serverClock
   * @param {import("./race.js").Win} parts.win
   */
  constructor({ clock, awake, eventLoop, serverClock, win }) {
    this.#clock = clock;
    this.#awake = awake;
    this.#eventLoop = eventLoop;
    this.#serverClock = serverClock;
    this.name = win.transport.name;
    this.transport = win.transport;
    this.refused = win.refused;
    this.#hello = win.hello;
    this.#since = win.since;
    this.#proof = new Proof({ name: win.transport.name, serverClock });
    this.#startedMs = this.#heardMs = clock.elapsed();
    this.#heardAt = clock.now();
  }

  /** The longest silence that is still life. */
  get silenceLimitMs() {
    return this.#proof.silenceLimitMs;
  }

  /** The hello that the transport won with is taken as heard, and is not passed on. */
  start() {
    this.transport.onmessage = (message) => this.#heard(message);
    this.transport.onstate = (state, ending) => {
      if (state === "closed") this.#end({ why: ending?.retryMs === undefined ? "died" : "bye", ...ending });
    };
    this.#prove(this.#hello);
  }

  stop() {
    this.#hasEnded = true;
    this.#cancelWatch();
    this.transport.onmessage = this.transport.onstate = ignore;
    this.transport.close();
  }

  wasUseful() {
    return this.#heardMs - this.#startedMs >= USEFUL_MS;
  }

  /** Whether it has brought what came before. @param {string} cursor */
  hasReached(cursor) {
    return !isNewer(cursor, this.#cursor);
  }

  /**
   * @param {Message} message  The one that it brings now.
   * @param {string} cursor  Where the page is.
   */
  isNews(message, cursor) {
    return isNews(message, { cursor, since: this.#previous || this.#since, isFirst: this.#previous === "" });
  }

  /** Something outside says that the network is gone. The next message proves it wrong. */
  doubt() {
    this.#doubted = true;
  }

  /** Whether it has been silent for longer than a heartbeat, or was doubted and not heard since. */
  isDoubtful() {
    // A clock set back makes the difference negative: then nothing is known, and doubt is the safe side.
    return this.#doubted || Math.abs(this.#clock.now() - this.#heardAt) > this.#proof.heartbeatMs;
  }

  /** @param {Message} message */
  #heard(message) {
    const isInTime = this.#prove(message);
    if (message.type === "bye") return this.#end({ why: "bye", retryMs: message.retry_ms });
    const whole = this.#parts.take(message);
    if (whole) this.#pass(whole);
    if (!isInTime) this.#end({ why: "lag" });
  }

  /** @param {Message} message */
  #pass(message) {
    this.#previous = this.#cursor;
    if (message.type !== "hello" && message.cursor) this.#cursor = message.cursor;
    this.onmessage(message);
  }

  /**
   * @param {Message} message
   * @returns {boolean} Whether it came in time.
   */
  #prove(message) {
    this.#heardMs = this.#clock.elapsed();
    this.#heardAt = this.#clock.now();
    this.#doubted = false;
    this.#serverClock.correct(message.server_time, this.transport.roundTripMs ?? Infinity);
    this.#eventLoop.probe();
    const load = { awakeMs: this.#awake.forMs(), saturatedMs: this.#eventLoop.saturatedMs() };
    const isInTime = this.#proof.hear(message, load);
    if (!this.#hasEnded) this.#watch(this.#proof.patienceMs);
    return isInTime;
  }

  /**
   * @param {number} patienceMs
   * @param {boolean} [isLastChance]
   */
  #watch(patienceMs, isLastChance = false) {
    this.#cancelWatch();
    this.#cancelWatch = this.#clock.after(patienceMs, () => {
      if (this.#isBacklogged()) this.#watch(LAST_CHANCE_MS);
      else if (isLastChance || this.#awake.forMs() >= patienceMs) this.#end({ why: this.#proof.silence });
      else this.#watch(LAST_CHANCE_MS, true);
    });
  }

  /** What is waited for may be here and wait for the page. But not for longer than any silence may last. */
  #isBacklogged() {
    const silentMs = this.#clock.elapsed() - this.#heardMs;
    return this.#eventLoop.saturatedMs() > 0 && silentMs < this.silenceLimitMs;
  }

  /** @param {LinkEnding} ending */
  #end(ending) {
    if (this.#hasEnded) return;
    if (ending.why === "lag") this.#hasEnded = true;
    else this.stop();
    this.#cancelWatch();
    this.onend(ending);
  }
}
