// @ts-check
/**
 * How far each status that was set on this page has come: on its way, saved by the server, and live, which it is
 * once the page's own stream has passed it, as everybody else's has. For ten seconds it can be taken back, unless
 * somebody else has set another meanwhile. Taps on one pet that follow each other are one burst: undo restores what was
 * before the first of them, with its time. They are sent one after the other, so the last tap is what stays.
 */
import { isNewer } from "./cursor.js";

/** @typedef {import("../live/transports/message.js").Message} Message */
/** @typedef {"saving" | "saved" | "live" | "changed" | "failed"} Phase */

/**
 * What is shown of it.
 * @typedef {{ phase: Phase, text: string, status: string, canUndo: boolean }} Shown
 */

/** How long a slip of the thumb can be taken back. */
const UNDO_MS = 10_000;

/** How long a failure is shown. */
const FAILED_MS = 15_000;

const TEXT = {
  saving: "Saving…",
  saved: "Saved",
  live: "Saved and live",
  changed: "Saved. Someone else changed it since.",
};

/** While the page is paused, it does not show what was saved. */
const PAUSED_TEXT = "Saved. Resume to see it here.";

/** What a pet did, and since when. @typedef {{ status: string, since?: string }} Before */

class Save {
  /** @type {Phase} */
  phase = "saving";
  problem = "";
  cursor = "";
  canUndo = false;
  isOver = false;
  cancel = () => {};

  /** When the status that an undo restores began. @type {string | undefined} */
  since;
  /** Statuses of the pet that arrived while this save was on its way, also by others. @type {Message[]} */
  heard = [];
  /** Settles with the answer of the server. @type {Promise<unknown>} */
  answered = Promise.resolve();

  /**
   * @param {string} status
   * @param {Before | null} was  What to go back to; null for what is itself an undoing.
   * @param {Set<string>} own  The cursors of this burst's changes.
   */
  constructor(status, was, own) {
    this.status = status;
    this.was = was;
    this.own = own;
  }

  /** Whether going back would change anything. */
  get isUndoable() {
    return this.was !== null && (this.was.status !== this.status || this.own.size > 1);
  }

  /**
   * @param {boolean} isPaused
   * @returns {Shown | null} Null once there is nothing left to say.
   */
  shown(isPaused) {
    if (this.isOver && this.phase !== "saved" && this.phase !== "saving") return null;
    const { phase, status, canUndo } = this;
    if (phase === "failed") return { phase, status, canUndo, text: `Not saved. ${this.problem}` };
    const isUnseen = isPaused && (phase === "saved" || phase === "live");
    return { phase, status, canUndo, text: isUnseen ? PAUSED_TEXT : TEXT[phase] };
  }
}

export class Saves {
  /** @type {(pet: string, shown: Shown | null) => void} */
  onchange = () => {};
  #clock;
  #send;
  #board;
  /** @type {Map<string, Save>} The newest of each pet. */
  #saves = new Map();
  #isPaused = false;

  /**
   * @param {object} parts
   * @param {import("../live/clock.js").Clock} parts.clock
   * @param {(pet: string, status: string, restored?: import("../live/set-status.js").Restored) =>
   *   Promise<import("../live/set-status.js").Outcome>} parts.send
   * @param {{ readonly cursor: string, readonly pets: ReadonlyMap<string, { status?: string, since?: string }> }} parts.board
   */
  constructor({ clock, send, board }) {
    this.#clock = clock;
    this.#send = send;
    this.#board = board;
  }

  /**
   * @param {string} pet
   * @param {string} status
   */
  set(pet, status) {
    const before = this.#saves.get(pet);
    if (before?.was && (before.phase === "saving" || before.canUndo)) {
      return this.#begin(pet, new Save(status, before.was, before.own));
    }
    // The stream may not have brought yet what an undo has restored a moment ago.
    const isUndoing = before?.was === null && (before.phase === "saving" || before.phase === "saved");
    const { status: now = "", since } = isUndoing ? before : (this.#board.pets.get(pet) ?? {});
    return this.#begin(pet, new Save(status, now ? { status: now, since } : null, new Set()));
  }

  /** @param {string} pet */
  undo(pet) {
    const save = this.#saves.get(pet);
    if (!save?.canUndo || !save.was) return Promise.resolve();
    const { status, since } = save.was;
    const undoing = new Save(status, null, new Set());
    undoing.since = since;
    return this.#begin(pet, undoing, { since, replaces: save.cursor });
  }

  /**
   * The board has taken in a message.
   * @param {Message} message
   */
  hear(message) {
    for (const [pet, save] of this.#saves) {
      if (message.type === "snapshot") this.#doubt(pet, save);
      if (save.phase === "saved" && !isNewer(save.cursor, this.#board.cursor)) this.#go(pet, save, "live");
      if (message.type === "status" && String(message.pet) === pet) this.#compare(pet, save, message);
    }
  }

  /**
   * Undo never takes back what somebody else has set: not after the burst, and not between its taps.
   * @param {string} pet
   * @param {Save} save
   * @param {Message} message  A status of the pet.
   */
  #compare(pet, save, message) {
    if (save.cursor === "") return void save.heard.push(message);
    if (save.own.has(message.cursor)) return;
    if (!isNewer(message.cursor, save.cursor)) {
      if (save.was) save.was = { status: message.status, since: message.since };
    } else {
      this.#overwrite(pet, save);
    }
  }

  /**
   * Notes that the page is paused, and does not show what was saved, or resumed.
   * @param {boolean} isPaused
   */
  pause(isPaused) {
    this.#isPaused = isPaused;
    for (const [pet, save] of this.#saves) this.#show(pet, save);
  }

  /**
   * What was set is not what the board says, though it is as far: somebody else has set another.
   * @param {string} pet
   * @param {Save} save
   */
  #isOverwritten(pet, save) {
    const isPassed = save.cursor !== "" && !isNewer(save.cursor, this.#board.cursor);
    return isPassed && this.#board.pets.get(pet)?.status !== save.status;
  }

  /**
   * @param {string} pet
   * @param {Save} save
   */
  #doubt(pet, save) {
    if (this.#isOverwritten(pet, save)) this.#overwrite(pet, save);
  }

  /**
   * Somebody else has set another status: there is nothing to take back, and what was saved is no longer live.
   * @param {string} pet
   * @param {Save} save
   */
  #overwrite(pet, save) {
    if (save.phase !== "saved" && save.phase !== "live") return;
    save.canUndo = false;
    this.#go(pet, save, "changed");
  }

  /** The page goes away. */
  stop() {
    for (const save of this.#saves.values()) save.cancel();
    this.#saves.clear();
  }

  /**
   * @param {string} pet
   * @param {Save} save
   * @param {import("../live/set-status.js").Restored} [restored]
   */
  async #begin(pet, save, restored) {
    const before = this.#saves.get(pet);
    before?.cancel();
    this.#saves.set(pet, save);
    this.#show(pet, save);
    const sending = before?.phase === "saving"
      ? before.answered.then(() => this.#send(pet, save.status, restored))
      : this.#send(pet, save.status, restored);
    save.answered = sending;
    const outcome = await sending;
    if ("cursor" in outcome) save.own.add(outcome.cursor);
    // Another tap has taken its place, and is what is shown.
    if (this.#saves.get(pet) !== save) return;
    if ("problem" in outcome) {
      save.problem = outcome.problem;
      save.cancel = this.#clock.after(FAILED_MS, () => this.#end(pet, save));
      this.#go(pet, save, "failed");
      return;
    }
    save.cursor = outcome.cursor;
    for (const message of save.heard.splice(0)) this.#compare(pet, save, message);
    save.canUndo = save.isUndoable && !this.#isOverwritten(pet, save);
    save.cancel = this.#clock.after(UNDO_MS, () => this.#end(pet, save));
    if (this.#isOverwritten(pet, save)) this.#go(pet, save, "changed");
    else this.#go(pet, save, isNewer(save.cursor, this.#board.cursor) ? "saved" : "live");
  }

  /**
   * @param {string} pet
   * @param {Save} save
   * @param {Phase} phase
   */
  #go(pet, save, phase) {
    save.phase = phase;
    this.#show(pet, save);
  }

  /**
   * The time to take it back is over. What is not live yet is still said.
   * @param {string} pet
   * @param {Save} save
   */
  #end(pet, save) {
    save.isOver = true;
    save.canUndo = false;
    this.#show(pet, save);
  }

  /**
   * @param {string} pet
   * @param {Save} save
   */
  #show(pet, save) {
    const shown = save.shown(this.#isPaused);
    if (!shown) this.#saves.delete(pet);
    this.onchange(pet, shown);
  }
}
