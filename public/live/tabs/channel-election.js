// @ts-check
/**
 * Leader election over the tabs' channel, for browsers without Web Locks, which exist only in a secure context. Has the
 * interface of `Leadership`.
 *
 * A tab that gets no answer from a leader claims the lead under a term that is higher than every term it knows. Of two
 * leaders the one with the higher term stays; under the same term, the one with the higher id. A leader that goes away
 * resigns. A leader that crashed is detected by its silence.
 */

/** @typedef {import("./tab-message.js").Note} Note */

export class Election {
  /** The browser does not appoint the next leader: a tab asks for the leader, and claims the lead if there is none. */
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

  /** Follows: without locks there is no queue for the lead. */
  queue() {
    this.#isLeading = false;
  }

  /** Claims the lead. The time in the term lets the latest claim win, even if this tab missed an earlier one. */
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
   * @param {import("./tab-message.js").Lead} claim
   */
  isAhead({ term, leader }) {
    return this.#isLeading && (this.term > term || (this.term === term && this.#tab.id > leader));
  }
}
