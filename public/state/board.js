// @ts-check
/**
 * The current status of every pet on the page, with the cursor it is true at.
 *
 * Messages are applied in the order in which they come. What is not newer than the cursor was already
 * seen, over this link or one before it, and is dropped. So nothing is drawn twice and time never runs backwards.
 */
import { isNewer, parseCursor } from "./cursor.js";
import { difference, isSame } from "./difference.js";

/** @typedef {import("./difference.js").Pet} Pet */
/** @typedef {import("./difference.js").Change} Change */
/** @typedef {import("../live/transports/message.js").Message} Message */

/** Fields of a message that are not fields of the pet. */
const ENVELOPE = new Set(["type", "cursor", "pet", "id", "by", "at"]);

export class Board {
  #cursor;
  /** @type {Map<string, Pet>} A pet is replaced, never changed inside: others may keep the one they were given. */
  #pets;

  /**
   * @param {string} cursor  The page's, or "" for a page without a board.
   * @param {Iterable<Pet>} pets  As the server drew them at that cursor.
   */
  constructor(cursor, pets = []) {
    // One that is none would be refused by the server, again and again; without one it sends a snapshot.
    this.#cursor = parseCursor(cursor) ? cursor : "";
    this.#pets = new Map([...pets].map((pet) => [pet.id, pet]));
  }

  /** Where to go on from. */
  get cursor() {
    return this.#cursor;
  }

  /** @returns {ReadonlyMap<string, Pet>} Moves on with later messages; copy it to keep a moment. */
  get pets() {
    return this.#pets;
  }

  /**
   * @param {Message} message
   * @returns {Change[] | null} What it changed, which may be nothing; null when it is old or not about pets.
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
        // A heartbeat comes after everything before it, so with a `pet=` filter it is what moves us on. The cursor of
        // `hello` is not used: what we missed is still to come after it.
        if (isNewer(message.cursor, this.#cursor)) this.#cursor = message.cursor;
        return null;
      default:
        return null;
    }
  }

  /**
   * A snapshot always holds, also when its epoch is another or its rev is lower: the server sends it when our
   * cursor means nothing to it, e.g. after the store came back from a backup.
   * @param {Message} message
   */
  #replace(message) {
    if (!parseCursor(message.cursor) || !Array.isArray(message.pets)) return null;
    const before = this.#pets;
    const after = message.pets.map((/** @type {any} */ seen) => merge(before.get(String(seen.id)), seen.id, seen));
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
    // A status of a pet that the page never heard of has no name to show.
    if (!before && message.type === "status") return [];
    const after = merge(before, id, message);
    this.#pets.set(id, after);
    return before && isSame(before, after) ? [] : [{ id, before, after }];
  }
}

/**
 * Returns what is known of a pet, updated with the fields of a message or of an entry of a snapshot.
 * @param {Pet | undefined} known
 * @param {unknown} id
 * @param {Record<string, any>} fields
 * @returns {Pet}
 */
function merge(known, id, fields) {
  /** @type {Pet} */
  const pet = { ...known, id: String(id) };
  for (const [field, value] of Object.entries(fields)) {
    if (!ENVELOPE.has(field)) pet[field] = value === null ? "" : String(value);
  }
  return pet;
}
