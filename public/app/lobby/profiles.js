// @ts-check
/**
 * Reads the profiles of all pets again after a snapshot, which has names and statuses alone. So a screen that was offline
 * for a day needs no reload.
 */
/** @import { Clock } from "../../petstore/clock.js" */

/** The shortest time between two requests. */
const GAP_MS = 10_000;

/** Fields that the board keeps current itself: the answer may have older ones. */
const LIVE = new Set(["status", "activity", "since", "note"]);

/** @typedef {{ id: string, [field: string]: string }} Profile  As on the board: lists as JSON. */

export class Profiles {
  /** @type {(profiles: Profile[]) => void} */
  onread = () => {};
  #fetch;
  #url;
  #clock;
  #isNeeded = false;
  #askedMs = -Infinity;

  /**
   * @param {object} options
   * @param {typeof fetch} options.fetch
   * @param {string} options.site
   * @param {Pick<Clock, "elapsed">} options.clock
   */
  constructor({ fetch, site, clock }) {
    this.#fetch = fetch;
    this.#url = `${site}/api/v1/pets`;
    this.#clock = clock;
  }

  /** Reads the profiles with the next tick. */
  need() {
    this.#isNeeded = true;
  }

  /** Called every second. Asks again after a failure. */
  tick = () => {
    if (!this.#isNeeded || this.#clock.elapsed() - this.#askedMs < GAP_MS) return;
    this.#isNeeded = false;
    this.#askedMs = this.#clock.elapsed();
    this.#read().catch(() => this.need());
  };

  async #read() {
    // Without the session of staff, who get private pets too.
    const answer = await this.#fetch(this.#url, { credentials: "omit" });
    const { pets } = await answer.json();
    this.onread(pets.map(profileOf));
  }
}

/** @param {Record<string, any>} pet @returns {Profile} */
function profileOf(pet) {
  const fields = Object.entries(pet).filter(([field]) => !LIVE.has(field));
  return Object.assign({ id: "" }, ...fields.map(([field, value]) => ({ [field]: text(value) })));
}

/** Returns a value as the board has it. @param {unknown} value */
function text(value) {
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}
