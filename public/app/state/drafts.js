// @ts-check
/**
 * Unsaved form input, stored in this browser until it is saved, discarded or expired.
 *
 * A draft belongs to one form and one account. It includes the hidden fields of the form, such as the idempotency key and
 * the base revision, so that a form which is sent again after a lost response is saved once.
 */

/** @import { Clock } from "../../petstore/clock.js" */

/** @typedef {Record<string, string>} Fields */

/**
 * @typedef {object} Draft
 * @property {number} savedAt  Milliseconds since 1970.
 * @property {Fields} fields  Visible fields.
 * @property {Fields} hidden  Hidden fields.
 */

const PREFIX = "pet-store draft ";

const EXPIRES_MS = 7 * 24 * 60 * 60 * 1000;

export class Drafts {
  #storage;
  #clock;

  /**
   * @param {object} options
   * @param {() => Storage} options.storage  Throws if storage is forbidden.
   * @param {Clock} options.clock
   */
  constructor({ storage, clock }) {
    this.#storage = storage;
    this.#clock = clock;
  }

  /**
   * @param {string} form
   * @returns {Draft | null}
   */
  read(form) {
    return this.#try((storage) => this.#parse(storage.getItem(PREFIX + form)));
  }

  /** @param {string} form @param {{ fields: Fields, hidden: Fields }} input */
  write(form, { fields, hidden }) {
    const draft = { savedAt: this.#clock.now(), fields, hidden };
    this.#try((storage) => storage.setItem(PREFIX + form, JSON.stringify(draft)));
  }

  /** @param {string} form */
  remove(form) {
    this.#try((storage) => storage.removeItem(PREFIX + form));
  }

  /** Removes the drafts of every form of one account. @param {string} account */
  removeOf(account) {
    this.#removeIf((key) => key.startsWith(`${PREFIX}${account}/`));
  }

  /** Removes drafts that are expired or unreadable. */
  removeExpired() {
    this.#removeIf((_key, text) => this.#parse(text) === null);
  }

  /** @param {(key: string, text: string | null) => boolean} isUnwanted */
  #removeIf(isUnwanted) {
    this.#try((storage) => {
      const keys = Array.from({ length: storage.length }, (_, index) => storage.key(index) ?? "");
      for (const key of keys) {
        if (key.startsWith(PREFIX) && isUnwanted(key, storage.getItem(key))) storage.removeItem(key);
      }
    });
  }

  /**
   * Ignores errors: storage can be forbidden or full, and the form works without drafts.
   * @template T
   * @param {(storage: Storage) => T} act
   * @returns {T | null}
   */
  #try(act) {
    try {
      return act(this.#storage());
    } catch {
      return null;
    }
  }

  /**
   * @param {string | null} text
   * @returns {Draft | null} Null if it is expired or unreadable. A draft from the future was written by a wrong clock.
   */
  #parse(text) {
    const draft = parseJson(text);
    const isDraft = typeof draft?.savedAt === "number" && isFields(draft.fields) && isFields(draft.hidden);
    return isDraft && Math.abs(this.#clock.now() - draft.savedAt) < EXPIRES_MS ? draft : null;
  }
}

/** @param {string | null} text */
function parseJson(text) {
  try {
    return JSON.parse(text ?? "null");
  } catch {
    return null;
  }
}

/** @param {unknown} fields */
function isFields(fields) {
  return typeof fields === "object" && fields !== null && Object.values(fields).every((text) => typeof text === "string");
}
