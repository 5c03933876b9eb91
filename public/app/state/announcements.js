// @ts-check
/** Announcements for screen readers: at most one every few seconds, so that a busy board is bearable. */
import { statusText } from "../../petstore/board/pet.js";
/** @import { Clock } from "../../petstore/clock.js" */
/** @import { Status } from "./connection-status.js" */
/** @import { Change } from "../../petstore/board/pet.js" */

/** Time to collect changes before an announcement: related changes arrive together. */
const COLLECT_MS = 500;

/** Minimum time between two announcements. */
const QUIET_MS = 5_000;

/** Time that a connection status must last before it is announced: a listener cannot ignore a flicker. */
const LASTING_MS = 5_000;

/** Statuses with the same value are announced once. Connecting is temporary, and pausing was the reader's choice. */
const KINDS = { live: "up", polling: "up", delayed: "delayed", offline: "offline", connecting: "", paused: "" };

export class Announcements {
  #clock;
  #say;
  /** @type {Map<string, Change>} The net change of each pet since the last announcement. */
  #changes = new Map();
  /** The connection status to announce, if any. */
  #status = "";
  #quietUntil = 0;
  /** @type {(() => void) | null} */
  #cancel = null;

  /**
   * @param {object} options
   * @param {Clock} options.clock
   * @param {(text: string) => void} options.say
   */
  constructor({ clock, say }) {
    this.#clock = clock;
    this.#say = say;
  }

  /** @param {Change[]} changes */
  add(changes) {
    for (const change of changes) {
      const earlier = this.#changes.get(change.id);
      this.#changes.set(change.id, earlier ? { ...change, before: earlier.before } : change);
    }
    if (changes.length > 0) this.#schedule();
  }

  /** @param {string} text  About the connection. Announced before the changes; replaces an older one. */
  addStatus(text) {
    this.#status = text;
    this.#schedule();
  }

  /** Drops everything that was not announced yet. */
  stop() {
    this.#cancel?.();
    this.#cancel = null;
    this.#changes.clear();
    this.#status = "";
  }

  #schedule() {
    if (this.#cancel) return;
    // Bounded, in case the clock was set back.
    const quietMs = Math.min(QUIET_MS, this.#quietUntil - this.#clock.now());
    this.#cancel = this.#clock.after(Math.max(COLLECT_MS, quietMs), () => this.#speak());
  }

  #speak() {
    const text = [this.#status, describe([...this.#changes.values()])].filter(Boolean).join(" ");
    this.stop();
    if (!text) return;
    this.#quietUntil = this.#clock.now() + QUIET_MS;
    this.#say(text);
  }
}

/**
 * @param {Change[]} changes  At most one for each pet.
 * @returns {string} "" if the changes cancel each other out.
 */
export function describe(changes) {
  const visible = changes.filter(({ before, after }) => before || after);
  if (visible.length === 0) return "";
  if (visible.length > 1) return `${visible.length} pets changed.`;
  const { before, after } = visible[0];
  const name = after?.name ?? before?.name ?? "A pet";
  if (!after) return `${name} was removed.`;
  if (!before) return `${name} was added.`;
  const note = after.note ? `: ${after.note}` : "";
  if (before.status !== after.status || (note && before.note !== after.note)) {
    return `${name} is now ${statusText(after.status).toLowerCase()}${note}.`;
  }
  return `${name} was updated.`;
}

/** Decides when the connection status is announced: if it has lasted, and differs from the last one announced. */
export class StatusAnnouncements {
  #clock;
  #announced = "up";
  #kind = "up";
  #since = 0;

  /** @param {Clock} clock */
  constructor(clock) {
    this.#clock = clock;
  }

  /**
   * @param {Pick<Status, "state" | "text">} status  The current status. Call this at least every second.
   * @returns {string} The text to announce; "" most of the time.
   */
  next(status) {
    const now = this.#clock.now();
    const kind = KINDS[status.state];
    if (kind !== this.#kind) {
      this.#kind = kind;
      this.#since = now;
    }
    // A clock that was set back makes the difference negative, which counts as time that passed.
    if (kind === "" || kind === this.#announced || Math.abs(now - this.#since) < LASTING_MS) return "";
    this.#announced = kind;
    if (kind !== "up") return status.text;
    return status.state === "live" ? "Live again." : "Connected again.";
  }
}
