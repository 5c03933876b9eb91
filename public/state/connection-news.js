// @ts-check
/**
 * When the state of the connection is worth a sentence to somebody who does not see the line: once it has lasted, and
 * only where it is another than the last that was told. A page that is live from the start has nothing to tell.
 */

/** @typedef {import("./connection-status.js").Line} Line */

/** How long a state must have been shown before it is told: whoever listens cannot glance away from a flicker. */
const LASTING_MS = 5_000;

/** States that are the same news. Connecting and paused are none: the one passes, the other was asked for. */
const KINDS = { live: "up", polling: "up", delayed: "delayed", offline: "offline", connecting: "", paused: "" };

export class ConnectionNews {
  #clock;
  #told = "up";
  #kind = "up";
  #since = 0;

  /** @param {import("../live/clock.js").Clock} clock */
  constructor(clock) {
    this.#clock = clock;
  }

  /**
   * @param {Line} line  What the line says now. Asked at least every second.
   * @returns {string} What to tell; "" most of the time.
   */
  of(line) {
    const now = this.#clock.now();
    const kind = KINDS[line.state];
    if (kind !== this.#kind) {
      this.#kind = kind;
      this.#since = now;
    }
    // A clock set back makes the difference negative, and counts as time that passed.
    if (kind === "" || kind === this.#told || Math.abs(now - this.#since) < LASTING_MS) return "";
    this.#told = kind;
    if (kind !== "up") return line.text;
    return line.state === "live" ? "Live again" : "Connected again";
  }
}
