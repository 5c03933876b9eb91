// @ts-check
/**
 * What a screen reader is told: one sentence at a time, not more often than every few seconds. Changes that come
 * close together become one number, so that a lively store does not talk without end.
 */
import { statusText } from "./status-text.js";

/** @typedef {import("./difference.js").Change} Change */

/** How long to collect before speaking: what belongs together mostly comes together. */
const COLLECT_MS = 500;

/** Least time between two sentences. */
const QUIET_MS = 5_000;

export class Announcements {
  #clock;
  #say;
  /** @type {Map<string, Change>} The net change of each pet since the last sentence. */
  #collected = new Map();
  /** How the page is connected now, where that is news. */
  #news = "";
  #quietUntil = 0;
  /** @type {(() => void) | null} */
  #cancel = null;

  /**
   * @param {object} parts
   * @param {import("../live/clock.js").Clock} parts.clock
   * @param {(sentence: string) => void} parts.say
   */
  constructor({ clock, say }) {
    this.#clock = clock;
    this.#say = say;
  }

  /** @param {Change[]} changes */
  add(changes) {
    for (const change of changes) {
      const earlier = this.#collected.get(change.id);
      this.#collected.set(change.id, earlier ? { ...change, before: earlier.before } : change);
    }
    if (changes.length > 0) this.#arrange();
  }

  /** @param {string} sentence  About the connection. Said before the changes; takes the place of an older one. */
  tell(sentence) {
    this.#news = sentence;
    this.#arrange();
  }

  #arrange() {
    if (this.#cancel) return;
    // A clock set back must not keep the page silent for an hour.
    const restMs = Math.min(QUIET_MS, this.#quietUntil - this.#clock.now());
    this.#cancel = this.#clock.after(Math.max(COLLECT_MS, restMs), () => this.#speak());
  }

  /** Forgets what it has collected. */
  stop() {
    this.#cancel?.();
    this.#cancel = null;
    this.#collected.clear();
    this.#news = "";
  }

  #speak() {
    const sentence = [this.#news, describe([...this.#collected.values()])].filter(Boolean).join(". ");
    this.stop();
    if (!sentence) return;
    this.#quietUntil = this.#clock.now() + QUIET_MS;
    this.#say(sentence);
  }
}

/**
 * @param {Change[]} changes  At most one for a pet.
 * @returns {string} "" when they come to nothing.
 */
export function describe(changes) {
  const seen = changes.filter(({ before, after }) => before || after);
  if (seen.length === 0) return "";
  if (seen.length > 1) return `${seen.length} pets changed`;
  const { before, after } = seen[0];
  const name = after?.name ?? before?.name ?? "A pet";
  if (!after) return `${name} was removed`;
  if (!before) return `${name} was added`;
  if (before.status !== after.status) return `${name} is now ${statusText(after.status).toLowerCase()}`;
  return `${name} was updated`;
}
