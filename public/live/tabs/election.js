// @ts-check
/**
 * One tab's place in the election where the browser has no Web Locks, which exist only in a secure context: it is held
 * over the tabs' channel alone, with the same outside as `Leadership`.
 *
 * Whoever gets no answer from a leader claims the lead under a term that is higher than every term it has heard of. Of
 * two leaders the one with the higher term stays; under the same term, the one with the higher id. A leader that goes
 * away resigns. One that crashes is missed by its silence.
 */

/** @typedef {import("./notes.js").Note} Note */

export class Election {
  /** The lead is not passed on by the browser: a tab has to ask who leads, and claim the lead if nobody does. */
  hasQueue = false;
  /** Of this tab's last claim. */
  term = 0;
  /** The highest that it has heard of. */
  #highest = 0;
  #tab;
  #onwin;
  #isLeading = false;

  /**
   * @param {import("./tab.js").Tab} tab
   * @param {() => void} onwin  This tab leads.
   */
  constructor(tab, onwin) {
    this.#tab = tab;
    this.#onwin = onwin;
  }

  /** There is no line to stand in: this tab follows. */
  queue() {
    this.#isLeading = false;
  }

  /** Claims the lead. The time of day in the term makes the latest claim win also where another was not heard. */
  seize() {
    this.term = Math.max(this.term + 1, this.#highest + 1, this.#tab.clock.now());
    this.#isLeading = true;
    this.#onwin();
  }

  /** Resigns if this tab leads. */
  leave() {
    if (this.#isLeading) this.#tab.post({ kind: "resign", leader: this.#tab.id });
    this.#isLeading = false;
  }

  /** @param {Note} note  Any that another tab has posted. */
  hear(note) {
    if (note.kind === "lead") this.#highest = Math.max(this.#highest, note.term);
  }

  /**
   * Returns true if this tab keeps the lead when another claims it.
   * @param {import("./notes.js").Lead} claim
   */
  isAhead({ term, leader }) {
    return this.#isLeading && (this.term > term || (this.term === term && this.#tab.id > leader));
  }
}
