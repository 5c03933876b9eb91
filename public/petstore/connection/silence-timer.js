// @ts-check
/**
 * Measures the silence of a link: asks for a sign of life when the silence is unusual, and reports when it is too long.
 *
 * A timer that fires late, because the page slept or was busy, proves nothing: messages may be queued behind it. Then the
 * link has a little more time.
 */
import { noop } from "../transports/transport.js";
/** @import { Clock } from "../clock.js" */
/** @import { SleepDetector } from "./sleep-detector.js" */

/** Extra time for messages that queued up while the page was asleep or busy. */
const GRACE_MS = 1_000;

/** After a probe, a link that works delivers something within this time. */
const ANSWER_MS = 2_000;

export class SilenceTimer {
  /** The silence is unusual. */
  onunusual = noop;
  /** The silence is too long. @type {(isAnswerMissing: boolean) => void} */
  onsilent = noop;
  #clock;
  #sleepDetector;
  #isBacklogged;
  /** When the silence is too long. */
  #limitAt = Infinity;
  /** How long the page must have been awake for that to prove anything. */
  #limitMs = 0;
  #unusualAt = Infinity;
  #isAnswerDue = false;
  #isGrace = false;
  #timerAt = Infinity;
  #cancel = noop;

  /**
   * @param {object} options
   * @param {Clock} options.clock
   * @param {Pick<SleepDetector, "awakeMs">} options.sleepDetector
   * @param {() => boolean} options.isBacklogged  Returns true if the next message may already wait for the busy page.
   */
  constructor({ clock, sleepDetector, isBacklogged }) {
    this.#clock = clock;
    this.#sleepDetector = sleepDetector;
    this.#isBacklogged = isBacklogged;
  }

  /**
   * A message has arrived.
   * @param {number} limitMs  The longest silence from now on.
   * @param {number} unusualMs  Silence after which to ask for a sign of life; Infinity for never.
   */
  restart(limitMs, unusualMs) {
    const now = this.#clock.elapsed();
    this.#limitAt = now + limitMs;
    this.#limitMs = limitMs;
    this.#unusualAt = now + unusualMs;
    this.#isGrace = this.#isAnswerDue = false;
    this.#schedule();
  }

  /** The link was asked for a sign of life. */
  expectAnswer() {
    const now = this.#clock.elapsed();
    this.#unusualAt = Infinity;
    if (this.#isAnswerDue || this.#limitAt <= now + ANSWER_MS) return;
    this.#isAnswerDue = true;
    this.#limitAt = now + ANSWER_MS;
    this.#limitMs = ANSWER_MS;
    this.#schedule();
  }

  stop() {
    this.#cancel();
    this.#limitAt = this.#unusualAt = this.#timerAt = Infinity;
  }

  /** A timer that fires too early is renewed then: that is cheaper than a new timer for each message. */
  #schedule() {
    const nextAt = Math.min(this.#limitAt, this.#unusualAt);
    if (this.#timerAt <= nextAt) return;
    this.#cancel();
    this.#timerAt = nextAt;
    this.#cancel = this.#clock.after(nextAt - this.#clock.elapsed(), () => {
      this.#timerAt = Infinity;
      this.#check(this.#clock.elapsed());
      if (this.#limitAt < Infinity) this.#schedule();
    });
  }

  /** @param {number} now */
  #check(now) {
    if (now >= this.#limitAt) {
      const isBacklogged = this.#isBacklogged();
      if (!isBacklogged && (this.#isGrace || this.#sleepDetector.awakeMs() >= this.#limitMs)) {
        const isAnswerMissing = this.#isAnswerDue;
        this.stop();
        return this.onsilent(isAnswerMissing);
      }
      this.#isGrace = !isBacklogged;
      this.#limitAt = now + GRACE_MS;
    } else if (now >= this.#unusualAt) {
      this.#unusualAt = Infinity;
      if (this.#isBacklogged()) this.#unusualAt = now + GRACE_MS;
      else this.onunusual();
    }
  }
}
