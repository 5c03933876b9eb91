// @ts-check
/**
 * The server's time, kept beside this machine's clock, which may be minutes or years off.
 *
 * Ages ("12 min") are taken against it: the `since` of a status is the server's time too.
 */

export class ServerClock {
  #clock;
  #offsetMs = 0;

  /** @param {import("../live/clock.js").Clock} clock */
  constructor(clock) {
    this.#clock = clock;
  }

  /**
   * Learns from a `server_time`. How long it travelled is not known and counts as error: well under the minutes shown.
   * @param {unknown} serverTime  RFC 3339; anything else teaches nothing.
   */
  learn(serverTime) {
    const serverMs = parseTime(serverTime);
    if (serverMs !== null) this.#offsetMs = serverMs - this.#clock.now();
  }

  now() {
    return this.at(this.#clock.now());
  }

  /** @param {number} clientMs  A time by this machine's clock. */
  at(clientMs) {
    return clientMs + this.#offsetMs;
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
