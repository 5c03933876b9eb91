// @ts-check
/**
 * Joins a snapshot that arrives in parts. Nothing is passed on before the last part, so the page keeps its board and its
 * cursor until then. If the connection ends in between, the next one starts the snapshot over.
 */

/** @import { Message } from "../protocol/message.js" */

/** Query parameters that ask a live route for snapshots in parts. */
export const IN_PARTS = { parts: 1 };

export class SnapshotAssembler {
  /** @type {Message[]} Parts of one snapshot, in order. */
  #received = [];

  /**
   * @param {Message} message
   * @returns {Message | null} The message, or the complete snapshot after its last part; null while parts are missing.
   */
  add(message) {
    const received = message.part === 1 ? [] : this.#received;
    this.#received = [];
    if (message.type !== "snapshot" || message.parts === undefined) return message;
    const isNext = message.part === received.length + 1 && message.cursor === (received[0] ?? message).cursor;
    if (!isNext) return null;
    received.push(message);
    if (message.part < message.parts) {
      this.#received = received;
      return null;
    }
    return { type: "snapshot", cursor: message.cursor, pets: received.flatMap((part) => part.pets) };
  }
}
