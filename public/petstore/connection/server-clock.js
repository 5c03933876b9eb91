// @ts-check
/**
 * Estimates the server's time: the clock of this machine may be minutes or years off.
 *
 * A message says when it was sent, but not how long it travelled. The message that travelled least gives the best estimate
 * of the difference between the clocks, so only a better one replaces it. Ages are computed with this estimate, and so is
 * the lag of every other message: how much longer it travelled than the best one.
 */

/** @import { Clock } from "../clock.js" */

/** The most that two clocks drift apart. Without it, a page that is open for a day would mistake drift for lag. */
const DRIFT = 0.0002;

export class ServerClock {
  #clock;
  /** Server time minus `elapsed`, at `#syncedMs`. */
  #offsetMs;
  #syncedMs;
  /** Time of day minus `elapsed` at the last message. Changes when the machine sleeps or its clock is set. */
  #localOffsetMs;
  #isSynced = false;

  /** @param {Clock} clock */
  constructor(clock) {
    this.#clock = clock;
    this.#syncedMs = clock.elapsed();
    this.#offsetMs = this.#localOffsetMs = clock.now() - this.#syncedMs;
  }

  /**
   * Takes the `server_time` of a message if it gives a better estimate.
   *
   * With a round trip, the current estimate is wrong if the server would have read its clock after the response arrived.
   * Then its clock was set, or another server answered, and the new time replaces the estimate.
   * @param {unknown} serverTime  RFC 3339; anything else is ignored.
   * @param {number} [roundTripMs]  From the request to the response.
   */
  sync(serverTime, roundTripMs = Infinity) {
    const serverMs = parseTime(serverTime);
    if (serverMs === null) return;
    this.#localOffsetMs = this.#clock.now() - this.#clock.elapsed();
    const offsetMs = serverMs - this.#clock.elapsed();
    const knownMs = this.#leastOffset();
    if (this.#isSynced && offsetMs < knownMs && knownMs <= offsetMs + roundTripMs) return;
    this.#offsetMs = offsetMs;
    this.#syncedMs = this.#clock.elapsed();
    this.#isSynced = true;
  }

  /** Makes the next `server_time` replace the estimate. */
  reset() {
    this.#isSynced = false;
  }

  now() {
    return this.at(this.#clock.now());
  }

  /** Converts a time of this machine's clock to server time. @param {number} localMs */
  at(localMs) {
    return localMs - this.#localOffsetMs + this.#offsetMs;
  }

  /**
   * Returns how much longer a message that is received now travelled than the fastest one.
   * @param {number} sentMs  Server time.
   * @returns {number} 0 before the first `sync`.
   */
  lagMs(sentMs) {
    return this.#isSynced ? this.#clock.elapsed() + this.#leastOffset() - sentMs : 0;
  }

  /** The estimate, reduced by the possible drift since it was made. */
  #leastOffset() {
    return this.#offsetMs - DRIFT * (this.#clock.elapsed() - this.#syncedMs);
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
