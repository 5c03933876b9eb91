// @ts-check
/**
 * The newest changes that this tab has received, for tabs that join with an older cursor.
 *
 * Every tab keeps them, so that a new leader can reply immediately.
 */
import { hasReached } from "../protocol/cursor.js";
import { isChange } from "../protocol/message-order.js";
/** @import { Message } from "../protocol/message.js" */

/** Bounds the memory of each tab. A tab that needs more asks the server. */
const LIMIT = 256;

export class RecentChanges {
  /** The cursor after which every change is kept. */
  #base;
  /** @type {Message[]} */
  #changes = [];

  /** @param {string} cursor  The cursor of the page; "" if it still needs a snapshot. */
  constructor(cursor) {
    this.#base = cursor;
  }

  /** @param {Message} message  The next message. Only changes are kept. */
  add(message) {
    if (message.type === "snapshot") {
      this.#base = message.cursor;
      this.#changes = [];
    } else if (isChange(message)) {
      this.#changes.push(message);
      if (this.#changes.length > LIMIT) this.#base = this.#changes.shift()?.cursor;
    }
  }

  /**
   * Returns the changes between two cursors.
   * @param {string} cursor
   * @param {string} position  The cursor of this tab.
   * @returns {Message[] | null} Null if `cursor` is too old, ahead of this tab or in another epoch.
   */
  between(cursor, position) {
    if (!hasReached(cursor, this.#base) || !hasReached(position, cursor)) return null;
    return this.#changes.filter((change) => !hasReached(cursor, change.cursor));
  }
}
