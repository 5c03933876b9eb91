// @ts-check
/**
 * The newest changes that this tab has seen, for tabs that join and were drawn a moment earlier.
 *
 * Every tab keeps one, so that a tab that takes the lead can answer at once.
 */
import { hasReached } from "../../state/message-order.js";

/** @typedef {import("../transports/message.js").Message} Message */

/** Changes kept. Who needs more asks the server: a bound on memory in each tab. */
const RUN_LIMIT = 256;

export class Run {
  /** Everything after this cursor is here. */
  #base;
  /** @type {Message[]} */
  #changes = [];

  /** @param {string} cursor  Where the page starts; "" when it still needs a snapshot. */
  constructor(cursor) {
    this.#base = cursor;
  }

  /** @param {Message} message  The next one; what is not a change leaves the run as it is. */
  add(message) {
    if (message.type === "snapshot") {
      this.#base = message.cursor;
      this.#changes = [];
    } else if (message.type === "status" || message.type === "pet" || message.type === "gone") {
      this.#changes.push(message);
      if (this.#changes.length > RUN_LIMIT) this.#base = this.#changes.shift()?.cursor;
    }
  }

  /**
   * @param {string} cursor  Where the asker is.
   * @param {string} position  Where this tab is.
   * @returns {Message[] | null} What the asker lacks; null when that is not known here, because it is too far behind,
   *   ahead of this tab, or in another epoch.
   */
  between(cursor, position) {
    if (!hasReached(cursor, this.#base) || !hasReached(position, cursor)) return null;
    return this.#changes.filter((change) => !hasReached(cursor, change.cursor));
  }
}
