// @ts-check
/**
 * Assembles a snapshot that came in parts. Passes nothing on before the last part, so the page keeps its board and its
 * cursor until then: if the connection ends in between, the next one starts the snapshot over.
 */

/** @typedef {import("./message.js").Message} Message */

/** The parameters of a live route that ask for snapshots in parts. */
export const IN_PARTS = { parts: 1 };

export class Parts {
  /** @type {Message[]} Of one snapshot, in order. */
  #gathered = [];

  /**
   * @param {Message} message
   * @returns {Message | null} The message, or the snapshot of which it was the last part; null while others are to come.
   */
  take(message) {
    const gathered = message.part === 1 ? [] : this.#gathered;
    this.#gathered = [];
    if (message.type !== "snapshot" || message.parts === undefined) return message;
    const isNext = message.part === gathered.length + 1 && message.cursor === (gathered[0] ?? message).cursor;
    if (!isNext) return null;
    gathered.push(message);
    if (message.part < message.parts) {
      this.#gathered = gathered;
      return null;
    }
    return { type: "snapshot", cursor: message.cursor, pets: gathered.flatMap((part) => part.pets) };
  }
}
