// @ts-check
/**
 * Every time on the page, in the reader's own time zone, and since how long each pet has had its status.
 *
 * The server writes "Tue 14:05 UTC", which is right everywhere and without JavaScript.
 */
import { parseTime } from "../state/server-clock.js";
import { durationText, momentText } from "../state/time-text.js";
import { setText } from "./text.js";

/** Ages are shown in minutes, so a page with a thousand pets need not go through them every second. */
const REFRESH_MS = 10_000;

export class Since {
  #root;
  #serverClock;
  #tick;
  #drawnAt = 0;

  /**
   * @param {object} parts
   * @param {ParentNode} parts.root
   * @param {import("../state/server-clock.js").ServerClock} parts.serverClock
   * @param {import("./tick.js").Tick} parts.tick
   */
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
    for (const time of root.querySelectorAll("time[datetime]")) {
      const since = parseTime(time.getAttribute("datetime"));
      if (since === null) continue;
      setText(time, momentText(since, now));
      const pet = time.hasAttribute("data-since") ? time.closest("[data-pet]") : null;
      const ago = pet?.querySelector("[data-ago]");
      if (ago) setText(ago, durationText(now - since));
    }
  }

  #ontick = () => {
    // The server's time may also jump back, when it is learned anew.
    if (Math.abs(this.#serverClock.now() - this.#drawnAt) >= REFRESH_MS) this.draw(this.#root);
  };
}
