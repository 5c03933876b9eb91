// @ts-check
/**
 * Measures how long the changes on the screen waited in this page before they were drawn.
 *
 * Only a busy page makes them wait: a page that is hidden, or that the browser does not draw for another reason, has an
 * idle event loop.
 */

/** @import { Clock } from "../../petstore/clock.js" */
/** @import { EventLoopMonitor } from "../../petstore/connection/event-loop-monitor.js" */

export class DrawLag {
  #clock;
  #eventLoop;
  /** When the oldest change arrived that is not drawn; null if all are. @type {number | null} */
  #waitingMs = null;
  /** How long the last drawing took, from the arrival of its oldest change. */
  #lastMs = 0;

  /** @param {{ clock: Clock, eventLoop: Pick<EventLoopMonitor, "saturatedMs"> }} options */
  constructor({ clock, eventLoop }) {
    this.#clock = clock;
    this.#eventLoop = eventLoop;
  }

  /** A change waits for the next frame. */
  receive() {
    this.#waitingMs ??= this.#clock.elapsed();
  }

  /** All changes are being drawn. They are on the screen when the browser runs the next task. */
  draw() {
    const waitingMs = this.#waitingMs;
    if (waitingMs === null) return;
    this.#waitingMs = null;
    this.#clock.soon(() => (this.#lastMs = this.#clock.elapsed() - waitingMs));
  }

  /** Returns the lag in ms; 0 if everything is drawn. */
  currentMs() {
    if (this.#waitingMs === null || this.#eventLoop.saturatedMs() === 0) return 0;
    return Math.max(this.#lastMs, this.#clock.elapsed() - this.#waitingMs);
  }
}
