// @ts-check
/**
 * Decides when a page with some of the pets asks the server which pets match now.
 *
 * The server decides what matches: it has every pet, and folds case and accents. The page only hears that something changed.
 * A busy board must not make each of its viewers ask all the time, so changes are collected, and an answer is kept for a while.
 */
/** @import { Clock } from "../../petstore/clock.js" */

/** Time to collect changes that decide what matches. */
const COLLECT_MS = 1_000;

/** Minimum time between two requests. */
const QUIET_MS = 5_000;

/** Time after which the numbers of the summary are corrected, if nothing else is to be asked. */
const SUMMARY_MS = 15_000;

/** Spread, so that the viewers of one view do not ask in the same moment. */
const SPREAD = 0.5;

/**
 * Answer of the server.
 * @typedef {{ total: number, statuses: Record<string, number>, pets: { id: number }[] }} PartAnswer
 */

export class PartCheck {
  #clock;
  #random;
  #load;
  /** True if statuses decide what matches. */
  #hasStatus;
  #dueAt = Infinity;
  #askedAt = -Infinity;
  #isAsking = false;
  #isHidden = false;
  /** @type {(() => void) | null} */
  #cancel = null;
  /** @type {(answer: PartAnswer) => void} */
  onanswer = () => {};

  /**
   * @param {object} options
   * @param {Pick<Clock, "elapsed" | "after">} options.clock
   * @param {() => number} options.random  From 0 to 1.
   * @param {() => Promise<PartAnswer>} options.load
   * @param {boolean} options.hasStatus
   */
  constructor({ clock, random, load, hasStatus }) {
    this.#clock = clock;
    this.#random = random;
    this.#load = load;
    this.#hasStatus = hasStatus;
  }

  /** @param {string} type  Of a message about pets. */
  receive(type) {
    this.#ask(type === "status" && !this.#hasStatus ? SUMMARY_MS : COLLECT_MS);
  }

  /** A hidden page asks once it is visible. @param {boolean} isHidden */
  setHidden(isHidden) {
    this.#isHidden = isHidden;
    this.#schedule();
  }

  /** @param {number} delayMs */
  #ask(delayMs) {
    const spreadMs = delayMs * SPREAD * this.#random();
    const now = this.#clock.elapsed();
    const dueAt = Math.max(now + delayMs + spreadMs, this.#askedAt + QUIET_MS);
    if (dueAt >= this.#dueAt) return;
    this.#dueAt = dueAt;
    this.#schedule();
  }

  #schedule() {
    this.#cancel?.();
    this.#cancel = null;
    if (this.#dueAt === Infinity || this.#isHidden || this.#isAsking) return;
    const delayMs = Math.max(0, this.#dueAt - this.#clock.elapsed());
    this.#cancel = this.#clock.after(delayMs, () => void this.#run());
  }

  async #run() {
    this.#dueAt = Infinity;
    this.#askedAt = this.#clock.elapsed();
    this.#isAsking = true;
    try {
      this.onanswer(await this.#load());
    } catch {
      // The connection line says what is wrong.
      this.#ask(SUMMARY_MS);
    }
    this.#isAsking = false;
    this.#schedule();
  }
}
