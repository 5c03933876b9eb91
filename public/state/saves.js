// @ts-check
/**
 * How far each status that was set on this page has come: on its way, saved by the server, and live, which it is
 * once the page's own stream has passed it, as everybody else's has. For ten seconds it can be taken back, unless
 * somebody else has set another meanwhile.
 */
import { isNewer } from "./cursor.js";

/** @typedef {import("../live/message.js").Message} Message */
/** @typedef {"saving" | "saved" | "live" | "failed"} Phase */

/**
 * What is shown of it.
 * @typedef {{ phase: Phase, text: string, status: string, canUndo: boolean }} Shown
 */

/** How long a slip of the thumb can be taken back. */
const UNDO_MS = 10_000;

/** How long a failure is shown. */
const FAILED_MS = 15_000;

const TEXT = { saving: "Saving…", saved: "Saved", live: "Saved and live" };

class Save {
  /** @type {Phase} */
  phase = "saving";
  problem = "";
  cursor = "";
  canUndo = false;
  isOver = false;
  cancel = () => {};

  /**
   * @param {string} status
   * @param {string} was  What to go back to; "" for what is itself an undoing.
   */
  constructor(status, was) {
    this.status = status;
    this.was = was;
  }

  /** @returns {Shown | null} Null once there is nothing left to say. */
  get shown() {
    if (this.isOver && this.phase !== "saved" && this.phase !== "saving") return null;
    const { phase, status, canUndo } = this;
    return { phase, status, canUndo, text: phase === "failed" ? `Not saved. ${this.problem}` : TEXT[phase] };
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

  /**
   * @param {object} parts
   * @param {import("../live/clock.js").Clock} parts.clock
   * @param {(pet: string, status: string) => Promise<import("../live/set-status.js").Outcome>} parts.send
   * @param {{ readonly cursor: string, readonly pets: ReadonlyMap<string, { status?: string }> }} parts.board
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
    // The stream may not have brought yet what was tapped a moment ago.
    const isKnown = before && before.phase !== "failed" && before.phase !== "live";
    const was = isKnown ? before.status : (this.#board.pets.get(pet)?.status ?? "");
    return this.#begin(pet, new Save(status, was === status ? "" : was));
  }

  /** @param {string} pet */
  undo(pet) {
    const save = this.#saves.get(pet);
    return save?.canUndo ? this.#begin(pet, new Save(save.was, "")) : Promise.resolve();
  }

  /**
   * The board has taken in a message.
   * @param {Message} message
   */
  hear(message) {
    for (const [pet, save] of this.#saves) {
      if (message.type === "snapshot") this.#doubt(pet, save);
      if (save.phase === "saved" && !isNewer(save.cursor, this.#board.cursor)) this.#go(pet, save, "live");
      const isOthers = message.type === "status" && String(message.pet) === pet && isNewer(message.cursor, save.cursor);
      if (isOthers && save.cursor !== "" && save.canUndo) {
        save.canUndo = false;
        this.#show(pet, save);
      }
    }
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
    if (!save.canUndo || !this.#isOverwritten(pet, save)) return;
    save.canUndo = false;
    this.#show(pet, save);
  }

  /** The page goes away. */
  stop() {
    for (const save of this.#saves.values()) save.cancel();
    this.#saves.clear();
  }

  /**
   * @param {string} pet
   * @param {Save} save
   */
  async #begin(pet, save) {
    this.#saves.get(pet)?.cancel();
    this.#saves.set(pet, save);
    this.#show(pet, save);
    const outcome = await this.#send(pet, save.status);
    // Another tap has taken its place, and is what is shown.
    if (this.#saves.get(pet) !== save) return;
    if ("problem" in outcome) {
      save.problem = outcome.problem;
      save.cancel = this.#clock.after(FAILED_MS, () => this.#end(pet, save));
      this.#go(pet, save, "failed");
      return;
    }
    save.cursor = outcome.cursor;
    save.canUndo = save.was !== "" && !this.#isOverwritten(pet, save);
    save.cancel = this.#clock.after(UNDO_MS, () => this.#end(pet, save));
    this.#go(pet, save, isNewer(save.cursor, this.#board.cursor) ? "saved" : "live");
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
    const { shown } = save;
    if (!shown) this.#saves.delete(pet);
    this.onchange(pet, shown);
  }
}
