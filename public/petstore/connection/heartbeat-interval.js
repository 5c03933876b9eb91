// @ts-check
/**
 * Chooses the heartbeat to ask the server for: short enough that a visible page notices within ten seconds that nothing
 * arrives, rare in a hidden page, and shorter than the silence after which this network drops a connection.
 */

/** @import { Clock } from "../clock.js" */

const VISIBLE_MS = 5_000;
const HIDDEN_MS = 15_000;
const LEAST_MS = 2_000;

/** A network that drops connections after this much silence may do so a little earlier the next time. */
const MARGIN = 0.6;

/** After this many losses, or more, the silence is to blame. A single one may be any accident, or a restarted server. */
const LOSSES = 2;

/** After this time without a loss, a longer heartbeat is tried again. */
const RELAX_MS = 10 * 60_000;
const RELAX_FACTOR = 1.5;

export class HeartbeatInterval {
  #clock;
  #isHidden;
  #losses = 0;
  #limitMs = Infinity;
  #lostMs = 0;

  /**
   * @param {object} options
   * @param {Clock} options.clock
   * @param {() => boolean} options.isHidden  Returns true if nobody sees the pages that share the connection.
   */
  constructor({ clock, isHidden }) {
    this.#clock = clock;
    this.#isHidden = isHidden;
  }

  /** The interval for now, in ms. */
  get currentMs() {
    return this.#limited(this.#isHidden() ? HIDDEN_MS : VISIBLE_MS);
  }

  /** The interval for a connection that cannot change it later, in ms: the page may become visible. */
  get fixedMs() {
    return this.#limited(VISIBLE_MS);
  }

  /** Records that a connection ended in silence. @param {number} quietMs  Length of the silence that it did not survive. */
  recordLoss(quietMs) {
    this.#relax();
    this.#losses += 1;
    this.#lostMs = this.#clock.elapsed();
    if (this.#losses >= LOSSES) this.#limitMs = Math.min(this.#limitMs, Math.max(LEAST_MS, quietMs * MARGIN));
  }

  /** @param {number} ms */
  #limited(ms) {
    this.#relax();
    return Math.min(ms, Math.round(this.#limitMs));
  }

  #relax() {
    while (this.#losses > 0 && this.#clock.elapsed() - this.#lostMs >= RELAX_MS) {
      this.#lostMs += RELAX_MS;
      this.#limitMs *= RELAX_FACTOR;
      if (this.#limitMs >= HIDDEN_MS) {
        this.#limitMs = Infinity;
        this.#losses = 0;
      }
    }
  }
}
