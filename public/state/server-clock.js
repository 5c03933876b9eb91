// @ts-check
/**
 * The server's time, kept beside this machine's clock, which may be minutes or years off.
 *
 * A message says when it was sent and never how long it travelled. The one that travelled least is the best word on
 * how the two clocks stand to each other, so only a better one replaces it. Ages ("12 min") are taken against
 * it, and so is the lag of every other message: how much later than the best it came.
 */

/** How far two machines' clocks run apart, at worst: without this, a page open for a day would take drift for lag. */
const DRIFT = 0.0002;

export class ServerClock {
  #clock;
  /** Server time less `elapsed`, as of `#learnedAt`. */
  #offsetMs;
  #learnedAt;
  /** Time of day less `elapsed` when a message last came. It changes when the machine sleeps or its clock is set. */
  #skewMs;
  #hasLearned = false;

  /** @param {import("../live/clock.js").Clock} clock */
  constructor(clock) {
    this.#clock = clock;
    this.#learnedAt = clock.elapsed();
    this.#offsetMs = this.#skewMs = clock.now() - this.#learnedAt;
  }

  /**
   * Learns from a `server_time`, if it came more directly than what is known.
   * @param {unknown} serverTime  RFC 3339; anything else teaches nothing.
   */
  learn(serverTime) {
    this.correct(serverTime, Infinity);
  }

  /**
   * Learns from an answer to a question. What is known cannot be right if it says that the server looked at
   * its clock after the answer was here: then that clock was set, or is another server's, and it is learned anew.
   * @param {unknown} serverTime
   * @param {number} roundTripMs  From the question to the answer.
   */
  correct(serverTime, roundTripMs) {
    const serverMs = parseTime(serverTime);
    if (serverMs === null) return;
    this.#skewMs = this.#clock.now() - this.#clock.elapsed();
    const offsetMs = serverMs - this.#clock.elapsed();
    const knownMs = this.#leastOffset();
    if (this.#hasLearned && offsetMs < knownMs && knownMs <= offsetMs + roundTripMs) return;
    this.#offsetMs = offsetMs;
    this.#learnedAt = this.#clock.elapsed();
    this.#hasLearned = true;
  }

  /** The next word is believed, whatever it is. */
  forget() {
    this.#hasLearned = false;
  }

  now() {
    return this.at(this.#clock.now());
  }

  /** @param {number} clientMs  A time by this machine's clock. */
  at(clientMs) {
    return clientMs - this.#skewMs + this.#offsetMs;
  }

  /**
   * How much longer what is received now was on its way than the quickest was.
   * @param {number} sentMs  Server time.
   * @returns {number} 0 while there is nothing to compare with.
   */
  lagMs(sentMs) {
    return this.#hasLearned ? this.#clock.elapsed() + this.#leastOffset() - sentMs : 0;
  }

  /** What is left of the knowledge after the clocks may have run apart. */
  #leastOffset() {
    return this.#offsetMs - DRIFT * (this.#clock.elapsed() - this.#learnedAt);
  }
}

/**
 * @param {unknown} text  RFC 3339.
 * @returns {number | null} Milliseconds since 1970.
 */
export function parseTime(text) {
  const ms = typeof text === "string" ? Date.parse(text) : NaN;
  return Number.isNaN(ms) ? null : ms;
}
