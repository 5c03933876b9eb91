// @ts-check
/** Decides which pets the screen in the lobby shows, and when it shows the next ones. */
/** @import { Clock } from "../../petstore/clock.js" */

/** The most pets that are readable from five metres at the same time. As in `views/lobby.rs`. */
const PETS_PER_SLIDE = 6;

/** Time to find a pet, read what it does, and look at it. */
const SLIDE_MS = 15_000;

/**
 * @typedef {object} Slide
 * @property {number} from  Index of the first pet.
 * @property {number} to  Index after the last pet.
 * @property {number} places  Pets on a full slide.
 * @property {boolean} isOnly  True if all pets fit.
 */

export class Slides {
  isPaused = false;
  #clock;
  #number = 0;
  #shownMs;

  /** @param {Pick<Clock, "elapsed">} clock */
  constructor(clock) {
    this.#clock = clock;
    this.#shownMs = clock.elapsed();
  }

  /** Returns the current slide of `count` pets. All slides have about as many. @param {number} count @returns {Slide} */
  current(count) {
    const slides = Math.max(1, Math.ceil(count / PETS_PER_SLIDE));
    const places = Math.ceil(count / slides);
    this.#number %= slides;
    const from = this.#number * places;
    return { from, to: Math.min(count, from + places), places, isOnly: slides === 1 };
  }

  /** Moves to the next slide if the current one was shown long enough. Returns true if so. */
  advance() {
    if (this.isPaused || this.#clock.elapsed() - this.#shownMs < SLIDE_MS) return false;
    this.#number += 1;
    this.#shownMs = this.#clock.elapsed();
    return true;
  }

  /** Continues after a pause, with a full time for the current slide. */
  resume() {
    this.isPaused = false;
    this.#shownMs = this.#clock.elapsed();
  }
}
