// @ts-check
/**
 * Tracks each status that is set on this page: being sent, saved by the server, and live once the page's own stream has
 * delivered it.
 *
 * For ten seconds a save can be undone, unless somebody else has changed the status meanwhile. Consecutive taps on one pet
 * form a burst, and undo restores the status from before the burst, with its time. They are sent one after the other, so
 * the last tap wins.
 */
import { isNewer } from "../../petstore/protocol/cursor.js";
/** @import { Clock } from "../../petstore/clock.js" */
/** @import { Edit, StatusResult, Undo } from "../server/commands.js" */
/** @import { Message } from "../../petstore/protocol/message.js" */

/** @typedef {"saving" | "saved" | "live" | "changed" | "failed"} Phase */
/** @typedef {{ phase: Phase, text: string, status: string, canUndo: boolean }} Shown  A save as the page shows it. */
/** @typedef {{ status: string, since?: string, note?: string }} Previous  A status, since when the pet had it, and its note. */

const UNDO_MS = 10_000;

/** Time for which a failure is shown. */
const FAILED_MS = 15_000;

const TEXT = {
  saving: "Saving…",
  saved: "Saved",
  live: "Saved and live",
  changed: "Saved. Someone else changed it since.",
};

/** A paused page does not show the new status. */
const PAUSED_TEXT = "Saved. Resume to see it here.";

class Save {
  /** @type {Phase} */
  phase = "saving";
  problem = "";
  cursor = "";
  canUndo = false;
  isExpired = false;
  cancel = () => {};

  /** For an undo: when the restored status began. @type {string | undefined} */
  since;
  /** For an undo: the note on the restored status. @type {string | undefined} */
  note;
  /** The note or the start that is set with the status. @type {Edit | undefined} */
  edit;
  /** Statuses of the pet that arrived before the server's response. @type {Message[]} */
  early = [];
  /** Settles with the server's response. @type {Promise<unknown>} */
  response = Promise.resolve();

  /**
   * @param {string} status
   * @param {Previous | null} previous  What undo restores; null for a save that is an undo itself.
   * @param {Set<string>} burst  Cursors of the changes of this burst.
   * @param {Edit} [edit]
   */
  constructor(status, previous, burst, edit) {
    this.status = status;
    this.edit = edit;
    this.previous = previous;
    this.burst = burst;
  }

  /** Returns true if undo would change anything. */
  get isUndoable() {
    return this.previous !== null && (this.previous.status !== this.status || this.edit !== undefined || this.burst.size > 1);
  }

  /**
   * @param {boolean} isPaused
   * @returns {Shown | null} Null if there is nothing left to show.
   */
  shown(isPaused) {
    if (this.isExpired && this.phase !== "saved" && this.phase !== "saving") return null;
    const { phase, status, canUndo } = this;
    if (phase === "failed") return { phase, status, canUndo, text: `Not saved. ${this.problem}` };
    const isHidden = isPaused && (phase === "saved" || phase === "live");
    return { phase, status, canUndo, text: isHidden ? PAUSED_TEXT : TEXT[phase] };
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
   * @param {object} options
   * @param {Clock} options.clock
   * @param {(pet: string, status: string, edit?: Undo | Edit) => Promise<StatusResult>} options.send
   * @param {{ readonly cursor: string, readonly pets: ReadonlyMap<string, { status?: string, since?: string, note?: string }> }
   *   } options.board
   */
  constructor({ clock, send, board }) {
    this.#clock = clock;
    this.#send = send;
    this.#board = board;
  }

  /** @param {string} pet @param {string} status @param {Edit} [edit] */
  set(pet, status, edit) {
    const last = this.#saves.get(pet);
    if (last?.previous && (last.phase === "saving" || last.canUndo)) {
      return this.#begin(pet, new Save(status, last.previous, last.burst, edit));
    }
    // The stream may not have delivered yet what an undo has just restored.
    const isUndo = last?.previous === null && (last.phase === "saving" || last.phase === "saved");
    const { status: now = "", since, note } = isUndo ? last : (this.#board.pets.get(pet) ?? {});
    return this.#begin(pet, new Save(status, now ? { status: now, since, note } : null, new Set(), edit));
  }

  /** @param {string} pet */
  undo(pet) {
    const save = this.#saves.get(pet);
    if (!save?.canUndo || !save.previous) return Promise.resolve();
    const { status, since, note } = save.previous;
    const undo = new Save(status, null, new Set());
    Object.assign(undo, { since, note });
    return this.#begin(pet, undo, { since, note, replaces: save.cursor });
  }

  /** @param {Message} message  One that the board has applied. */
  receive(message) {
    for (const [pet, save] of this.#saves) {
      if (message.type === "snapshot" && this.#isOverwritten(pet, save)) this.#overwrite(pet, save);
      if (save.phase === "saved" && !isNewer(save.cursor, this.#board.cursor)) this.#enter(pet, save, "live");
      if (message.type === "status" && String(message.pet) === pet) this.#compare(pet, save, message);
    }
  }

  /**
   * Makes sure that undo never reverts a status that somebody else set, neither after the burst nor between its taps.
   * @param {string} pet
   * @param {Save} save
   * @param {Message} message  A status of the pet.
   */
  #compare(pet, save, message) {
    if (save.cursor === "") return void save.early.push(message);
    if (save.burst.has(message.cursor)) return;
    if (isNewer(message.cursor, save.cursor)) this.#overwrite(pet, save);
    else if (save.previous) save.previous = { status: message.activity ?? message.status, since: message.since, note: message.note ?? "" };
  }

  /** @param {boolean} isPaused  True if the page does not show new statuses. */
  setPaused(isPaused) {
    this.#isPaused = isPaused;
    for (const [pet, save] of this.#saves) this.#show(pet, save);
  }

  /**
   * Returns true if the board has passed the save and shows another status: somebody else has set it.
   * @param {string} pet
   * @param {Save} save
   */
  #isOverwritten(pet, save) {
    const isPassed = save.cursor !== "" && !isNewer(save.cursor, this.#board.cursor);
    return isPassed && this.#board.pets.get(pet)?.status !== save.status;
  }

  /**
   * Somebody else has set another status.
   * @param {string} pet
   * @param {Save} save
   */
  #overwrite(pet, save) {
    if (save.phase !== "saved" && save.phase !== "live") return;
    save.canUndo = false;
    this.#enter(pet, save, "changed");
  }

  /** Drops every save: the page goes away. */
  stop() {
    for (const save of this.#saves.values()) save.cancel();
    this.#saves.clear();
  }

  /** @param {string} pet @param {Save} save @param {Undo} [undo] */
  async #begin(pet, save, undo) {
    const last = this.#saves.get(pet);
    last?.cancel();
    this.#saves.set(pet, save);
    this.#show(pet, save);
    const send = () => this.#send(pet, save.status, undo ?? save.edit);
    const response = last?.phase === "saving" ? last.response.then(send) : send();
    save.response = response;
    const result = await response;
    if ("cursor" in result) save.burst.add(result.cursor);
    // Another tap has replaced this save on the page.
    if (this.#saves.get(pet) !== save) return;
    if ("problem" in result) {
      save.problem = result.problem;
      save.cancel = this.#clock.after(FAILED_MS, () => this.#expire(pet, save));
      this.#enter(pet, save, "failed");
      return;
    }
    save.cursor = result.cursor;
    for (const message of save.early.splice(0)) this.#compare(pet, save, message);
    const isOverwritten = this.#isOverwritten(pet, save);
    save.canUndo = save.isUndoable && !isOverwritten;
    save.cancel = this.#clock.after(UNDO_MS, () => this.#expire(pet, save));
    if (isOverwritten) this.#enter(pet, save, "changed");
    else this.#enter(pet, save, isNewer(save.cursor, this.#board.cursor) ? "saved" : "live");
  }

  /** @param {string} pet @param {Save} save @param {Phase} phase */
  #enter(pet, save, phase) {
    save.phase = phase;
    this.#show(pet, save);
  }

  /**
   * The time for undo is over. A save that is not live yet is still shown.
   * @param {string} pet
   * @param {Save} save
   */
  #expire(pet, save) {
    save.isExpired = true;
    save.canUndo = false;
    this.#show(pet, save);
  }

  /** @param {string} pet @param {Save} save */
  #show(pet, save) {
    const shown = save.shown(this.#isPaused);
    if (!shown) this.#saves.delete(pet);
    this.onchange(pet, shown);
  }
}
