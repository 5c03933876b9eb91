// @ts-check
/**
 * Unsaved text of forms, kept in this browser until it is saved, discarded or too old.
 *
 * A draft belongs to one form and one account. It also holds the form's hidden fields, such as its idempotency key
 * and the revision it was rendered at: text that was sent once, without an answer, is then still saved once.
 */

/** @typedef {Record<string, string>} Fields */

/**
 * @typedef {object} Draft
 * @property {number} savedAt  Milliseconds since 1970.
 * @property {Fields} fields  What was typed or chosen.
 * @property {Fields} hidden  The hidden fields of the form it was typed into.
 */

const PREFIX = "pet-store draft ";

const EXPIRES_MS = 7 * 24 * 60 * 60 * 1000;

export class Drafts {
  #storage;
  #clock;

  /**
   * @param {object} parts
   * @param {() => Storage} parts.storage  Throws where the browser keeps nothing for this site.
   * @param {import("../live/clock.js").Clock} parts.clock
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
    return this.#try((storage) => parse(storage.getItem(PREFIX + form), this.#clock.now()));
  }

  /**
   * @param {string} form
   * @param {{ fields: Fields, hidden: Fields }} typed
   */
  write(form, { fields, hidden }) {
    const draft = { savedAt: this.#clock.now(), fields, hidden };
    this.#try((storage) => storage.setItem(PREFIX + form, JSON.stringify(draft)));
  }

  /** @param {string} form */
  remove(form) {
    this.#try((storage) => storage.removeItem(PREFIX + form));
  }

  /**
   * Removes the drafts of every form of one account.
   * @param {string} account
   */
  removeOf(account) {
    this.#removeIf((key) => key.startsWith(`${PREFIX}${account}/`));
  }

  removeExpired() {
    this.#removeIf((_key, text) => parse(text, this.#clock.now()) === null);
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
   * Storage may be blocked or full. The form then works as it does without drafts.
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
}

/**
 * @param {string | null} text
 * @param {number} now
 * @returns {Draft | null} Null for a draft that is too old or not ours. One from the future was written by a wrong clock.
 */
function parse(text, now) {
  const draft = text === null ? null : JSON.parse(text);
  const isDraft = typeof draft?.savedAt === "number" && isFields(draft.fields) && isFields(draft.hidden);
  return isDraft && Math.abs(now - draft.savedAt) < EXPIRES_MS ? draft : null;
}

/** @param {unknown} fields */
function isFields(fields) {
  return typeof fields === "object" && fields !== null && Object.values(fields).every((text) => typeof text === "string");
}
