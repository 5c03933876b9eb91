// @ts-check
/**
 * Shows every time on the page in the reader's time zone, and for how long each pet has had its status.
 *
 * The server renders "Tue 14:05 UTC", which is right everywhere and without JavaScript.
 */
import { parseTime } from "../../petstore/connection/server-clock.js";
import { durationText, momentText, nextChangeOf } from "../state/time-text.js";
import { setText } from "./text.js";
/** @import { ServerClock } from "../../petstore/connection/server-clock.js" */
/** @import { Tick } from "./tick.js" */

export class Times {
  #root;
  #serverClock;
  #tick;
  /** @type {Map<Element, number>} When each text changes next, in server time. Of hundreds, few change together. */
  #due = new Map();
  /** The earliest of them. */
  #nextDue = Infinity;
  #drawnAt = 0;

  /** @param {{ root: ParentNode, serverClock: ServerClock, tick: Tick }} options */
  constructor({ root, serverClock, tick }) {
    this.#root = root;
    this.#serverClock = serverClock;
    this.#tick = tick;
  }

  start() {
    this.draw(this.#root);
    this.#tick.add(this.#ontick);
  }

  stop() {
    this.#tick.remove(this.#ontick);
  }

  /** @param {ParentNode} root  The page, or one pet. */
  draw(root) {
    const now = this.#serverClock.now();
    if (root === this.#root) this.#drawnAt = now;
    for (const time of root.querySelectorAll("time[datetime]")) this.#drawTime(time, now);
  }

  /** @param {Element} time @param {number} now */
  #drawTime(time, now) {
    const since = parseTime(time.getAttribute("datetime"));
    if (since === null) return;
    setText(time, momentText(since, now));
    const pet = time.hasAttribute("data-since") ? time.closest("[data-pet]") : null;
    const age = pet?.querySelector("[data-ago]");
    if (age) setText(age, durationText(now - since));
    const due = nextChangeOf(since, now);
    this.#due.set(time, due);
    this.#nextDue = Math.min(this.#nextDue, due);
  }

  #ontick = () => {
    const now = this.#serverClock.now();
    // The estimate of the server's time was replaced by an earlier one.
    if (now < this.#drawnAt) return this.draw(this.#root);
    this.#drawnAt = now;
    if (now < this.#nextDue) return;
    this.#nextDue = Infinity;
    for (const [time, due] of this.#due) {
      if (!time.isConnected) this.#due.delete(time);
      else if (due <= now) this.#drawTime(time, now);
      else this.#nextDue = Math.min(this.#nextDue, due);
    }
  };
}
