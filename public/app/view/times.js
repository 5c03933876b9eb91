// @ts-check
/**
 * Shows every time on the page, and for how long each pet has had its status. The time zone is that of the rescue, or of the
 * reader if the rescue has set none.
 *
 * The server renders "Tue 14:05 UTC", which is right everywhere and without JavaScript. A text is redrawn when it changes,
 * which is once a minute at most, and only where it is in view. A pet whose status is old is marked.
 */
import { parseTime } from "../../petstore/connection/server-clock.js";
import { durationText, momentText, nextChangeOf } from "../state/time-text.js";
import { setText } from "./text.js";
/** @import { ServerClock } from "../../petstore/connection/server-clock.js" */
/** @import { InView } from "./in-view.js" */
/** @import { Tick } from "./tick.js" */

/**
 * A time on the page.
 * @typedef {object} Shown
 * @property {number} since
 * @property {number} due  When its text changes next, in server time.
 * @property {Element | null} pet  The pet whose status began then.
 * @property {Element | null} age  Shows how long ago that was.
 */

export class Times {
  #root;
  #serverClock;
  #tick;
  #inView;
  #oldMs;
  /** @type {Map<Element, Shown>} */
  #shown = new Map();
  #drawnAt = 0;

  /**
   * @param {object} options
   * @param {ParentNode} options.root
   * @param {ServerClock} options.serverClock
   * @param {Tick} options.tick
   * @param {Pick<InView, "has">} options.inView
   * @param {number} options.oldMs  Time after which a status is old; NaN for never.
   */
  constructor({ root, serverClock, tick, inView, oldMs }) {
    this.#root = root;
    this.#serverClock = serverClock;
    this.#tick = tick;
    this.#inView = inView;
    this.#oldMs = oldMs;
  }

  start() {
    this.#drawnAt = this.#serverClock.now();
    for (const time of this.#root.querySelectorAll("time[datetime]")) this.#draw(time, this.#read(time), this.#drawnAt);
    this.#tick.add(this.drawDue);
  }

  stop() {
    this.#tick.remove(this.drawDue);
  }

  /** Sets the time of a pet's status. @param {Element} time @param {string} since  RFC 3339. */
  set(time, since) {
    const shown = this.#shown.get(time) ?? this.#read(time);
    shown.since = parseTime(since) ?? NaN;
    time.setAttribute("data-since", since);
    // HTML allows three digits of a second.
    time.setAttribute("datetime", since.replace(/(\.\d{3})\d+/, "$1"));
    this.#draw(time, shown, this.#serverClock.now());
  }

  /** @param {Element} time */
  #read(time) {
    const since = parseTime(time.getAttribute("datetime")) ?? NaN;
    const pet = time.hasAttribute("data-since") ? time.closest("[data-pet]") : null;
    const shown = { since, due: 0, pet, age: pet?.querySelector("[data-ago]") ?? null };
    this.#shown.set(time, shown);
    return shown;
  }

  /** @param {Element} time @param {Shown} shown @param {number} now */
  #draw(time, shown, now) {
    // A value that is no time stays as the server wrote it.
    if (Number.isNaN(shown.since)) return;
    setText(time, momentText(shown.since, now));
    shown.pet?.toggleAttribute("data-old", now - shown.since >= this.#oldMs);
    if (shown.age) setText(shown.age, durationText(now - shown.since));
    shown.due = nextChangeOf(shown.since, now);
  }

  /** Draws the texts that have changed and are in view: each second, and when others come into view. */
  drawDue = () => {
    const now = this.#serverClock.now();
    // The estimate of the server's time was replaced by an earlier one.
    const isEarlier = now < this.#drawnAt;
    this.#drawnAt = now;
    for (const [time, shown] of this.#shown) {
      if (shown.due > now && !isEarlier) continue;
      if (!time.isConnected) this.#shown.delete(time);
      else if (!shown.pet || this.#inView.has(shown.pet)) this.#draw(time, shown, now);
      else shown.due = 0;
    }
  };
}
