// @ts-check
/**
 * The current state of every pet on the page, with the cursor at which it is true.
 *
 * Messages are applied in the order in which they arrive. A message that is not newer than the cursor was received before,
 * over this link or an earlier one, and is dropped. So nothing is drawn twice, and nothing goes back in time.
 */
import { isNewer, parseCursor } from "../protocol/cursor.js";
import { difference, isSame } from "./pet.js";
/** @import { Message } from "../protocol/message.js" */
/** @import { Change, Pet } from "./pet.js" */

/** Fields of a message that are not fields of the pet. */
const ENVELOPE = new Set(["type", "cursor", "pet", "id", "by", "at", "after"]);

/** State of a pet whose entry in a snapshot names none. */
const AVAILABLE = { state: "available" };

export class Board {
  #cursor;
  /** @type {Map<string, Pet>} Pets are replaced and never mutated, so a copy of the map stays as it is. */
  #pets;

  /**
   * @param {string} cursor  Of the page; "" for a page without a board.
   * @param {Iterable<Pet>} pets  As the server rendered them at that cursor.
   */
  constructor(cursor, pets = []) {
    // The server would refuse an invalid cursor every time; without one it sends a snapshot.
    this.#cursor = parseCursor(cursor) ? cursor : "";
    this.#pets = new Map([...pets].map((pet) => [pet.id, pet]));
  }

  get cursor() {
    return this.#cursor;
  }

  /** @returns {ReadonlyMap<string, Pet>} Changes with later messages. */
  get pets() {
    return this.#pets;
  }

  get size() {
    return this.#pets.size;
  }

  /** @param {number | string} id @returns {Readonly<Pet> | undefined} */
  get(id) {
    return this.#pets.get(String(id));
  }

  [Symbol.iterator]() {
    return this.#pets.values();
  }

  /**
   * @param {Message} message
   * @returns {Change[] | null} The changes, which may be none; null if the message is old or not about pets.
   */
  apply(message) {
    switch (message.type) {
      case "snapshot":
        return this.#replace(message);
      case "status":
      case "pet":
      case "gone":
        return this.#step(message);
      case "heartbeat":
        // A heartbeat comes after everything before it, so it advances the cursor of a stream with a `pet=` filter. The
        // cursor of `hello` does not: missed changes still follow it.
        if (isNewer(message.cursor, this.#cursor)) this.#cursor = message.cursor;
        return null;
      default:
        return null;
    }
  }

  /**
   * A snapshot always applies, even with another epoch or a lower rev: the server sends it if the cursor of the page is not
   * valid any more, e.g. because the store was restored from a backup.
   * @param {Message} message
   */
  #replace(message) {
    if (!parseCursor(message.cursor) || !Array.isArray(message.pets)) return null;
    const before = this.#pets;
    const after = message.pets.map((/** @type {any} */ seen) => {
      const known = before.get(String(seen.id));
      return merge(known, seen.id, { ...(known?.state && AVAILABLE), ...seen });
    });
    this.#cursor = message.cursor;
    this.#pets = new Map(after.map((/** @type {Pet} */ pet) => [pet.id, pet]));
    return difference(before, this.#pets);
  }

  /**
   * @param {Message} message
   * @returns {Change[] | null}
   */
  #step(message) {
    if (!isNewer(message.cursor, this.#cursor)) return null;
    this.#cursor = message.cursor;
    const id = String(message.pet);
    const before = this.#pets.get(id);
    if (message.type === "gone") {
      return this.#pets.delete(id) ? [{ id, before }] : [];
    }
    // An unknown pet has no name to show.
    if (!before && message.type === "status") return [];
    const after = merge(before, id, message);
    this.#pets.set(id, after);
    return before && isSame(before, after) ? [] : [{ id, before, after }];
  }
}

/**
 * Returns what is known of a pet, updated with the fields of a message or of an entry of a snapshot. Its status is the exact
 * word: that of `activity`, where there is one.
 * @param {Pet | undefined} known
 * @param {unknown} id
 * @param {Record<string, any>} fields
 * @returns {Pet}
 */
function merge(known, id, { activity, ...fields }) {
  /** @type {Pet} */
  const pet = { ...known, id: String(id) };
  if (activity) fields.status = activity;
  // A status without a note has no such field.
  if (known?.note) pet.note = "";
  for (const [field, value] of Object.entries(fields)) {
    if (!ENVELOPE.has(field)) pet[field] = text(value);
  }
  return pet;
}

/** Returns a value of a message as text: lists and objects as JSON. @param {unknown} value */
function text(value) {
  if (value === null) return "";
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}
