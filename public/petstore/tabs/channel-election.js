// @ts-check
/**
 * Leader election over the channel of the tabs, for browsers without Web Locks, which exist only in a secure context. Has
 * the interface of `LockElection`.
 *
 * A tab that gets no reply from a leader claims the lead with a term that is higher than every term it knows. Of two
 * leaders the one with the higher term stays; with equal terms, the one with the higher id. A leader that goes away
 * resigns. A leader that crashed is detected by its silence.
 */

/** @import { Lead, TabMessage } from "./tab-message.js" */
/** @import { Clock } from "../clock.js" */

export class ChannelElection {
  /** No queue: a tab asks for the leader, and claims the lead if there is none. */
  hasQueue = false;
  /** Term of this tab's last claim. */
  term = 0;
  /** Highest term of any other tab. */
  #highest = 0;
  #options;
  #isLeading = false;

  /**
   * @param {object} options
   * @param {string} options.id  Of this tab.
   * @param {Clock} options.clock
   * @param {(message: TabMessage) => void} options.post  To the other tabs.
   * @param {() => void} options.onwin  This tab leads.
   */
  constructor(options) {
    this.#options = options;
  }

  /** Follows the leader. */
  follow() {
    this.#isLeading = false;
  }

  /** Claims the lead. The time in the term lets the latest claim win, even if this tab missed an earlier one. */
  takeOver() {
    this.term = Math.max(this.term + 1, this.#highest + 1, this.#options.clock.now());
    this.#isLeading = true;
    this.#options.onwin();
  }

  /** Resigns if this tab leads. */
  leave() {
    if (this.#isLeading) this.#options.post({ kind: "resign", leader: this.#options.id });
    this.#isLeading = false;
  }

  /** @param {TabMessage} message  Any message of another tab. */
  receive(message) {
    if (message.kind === "lead") this.#highest = Math.max(this.#highest, message.term);
  }

  /** Returns true if this tab keeps the lead when another claims it. @param {Lead} claim */
  outranks({ term, leader }) {
    return this.#isLeading && (this.term > term || (this.term === term && this.#options.id > leader));
  }
}
