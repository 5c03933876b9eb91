// @ts-check
/** Decides when to try better transports beside the link that the page uses. */
import { noop } from "../transports/transport.js";
/** @import { Clock } from "../clock.js" */
/** @import { TransportName } from "../transports/transport.js" */
/** @import { TransportPreference } from "./transport-preference.js" */

/** Delay before the first attempt, if the better transports are known to fail. Doubles with each failure. */
const FIRST_MS = 2 * 60_000;
const LIMIT_MS = 30 * 60_000;

/** The same if a better transport has not really failed: it died once, or this page did not try it. */
const UNTRIED_MS = 10_000;

/** The same if a better transport has worked on this network: it was refused because the server was starting. */
const PROVEN_MS = 250;

export class Upgrade {
  /** @type {(better: TransportName[], from: TransportName) => void} Tries these. The caller reports the end of the attempt. */
  ontry = noop;
  #clock;
  #preference;
  #savesData;
  /** @type {TransportName | null} Transport in use. */
  #from = null;
  #delayMs = 0;
  /** @type {(() => void) | null} Set while waiting for the next attempt. */
  #cancelWait = null;

  /**
   * @param {object} options
   * @param {Clock} options.clock
   * @param {TransportPreference} options.preference
   * @param {() => boolean} options.savesData  If true, only `tryNow` makes an attempt.
   */
  constructor({ clock, preference, savesData }) {
    this.#clock = clock;
    this.#preference = preference;
    this.#savesData = savesData;
  }

  /**
   * Schedules an attempt: no candidate is left beside the transport in use.
   * @param {TransportName} name
   */
  schedule(name) {
    const better = this.#preference.betterThan(name);
    if (name !== this.#from) {
      this.#delayMs = this.#firstDelayMs(better);
    } else {
      this.#preference.recordBest(name);
      this.#delayMs = this.#delayMs < FIRST_MS ? FIRST_MS : Math.min(LIMIT_MS, this.#delayMs * 2);
    }
    this.#from = name;
    if (better.length > 0) this.#wait();
  }

  stop() {
    this.#from = null;
    this.#cancelWait?.();
    this.#cancelWait = null;
  }

  /** Makes an attempt immediately: the network may have changed. */
  tryNow() {
    if (!this.#cancelWait) return;
    this.#delayMs = UNTRIED_MS;
    this.#try();
  }

  /** @param {TransportName[]} better */
  #firstDelayMs(better) {
    if (better.some((name) => this.#preference.isProven(name))) return PROVEN_MS;
    return better.some((name) => this.#preference.isUntried(name)) ? UNTRIED_MS : FIRST_MS;
  }

  #wait() {
    this.#cancelWait = this.#clock.after(this.#delayMs, () => {
      if (this.#savesData()) this.#wait();
      else this.#try();
    });
  }

  #try() {
    this.#cancelWait?.();
    this.#cancelWait = null;
    if (this.#from) this.ontry(this.#preference.betterThan(this.#from), this.#from);
  }
}
