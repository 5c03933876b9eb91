// @ts-check
/**
 * Measures how late the newest message was when the page handled it, and who caused that: the network, or the page itself.
 *
 * A busy page cannot see which messages wait for it. But a page causes no more lag than its event loop has been
 * saturated for, and one that handles nothing for a moment has nothing waiting.
 */
import { messageTime } from "./liveness.js";
/** @import { Clock } from "../clock.js" */
/** @import { Message } from "../protocol/message.js" */
/** @import { EventLoopMonitor } from "./event-loop-monitor.js" */
/** @import { ServerClock } from "./server-clock.js" */

/** After this time without a message, an idle page has shown everything that arrived. */
const IDLE_MS = 1_000;

/** @typedef {{ networkMs: number, pageMs: number }} Lag  The sum is the age of what is on the screen. */

export class MessageLag {
  #clock;
  #serverClock;
  #eventLoop;
  /** Server time of the last hello. What was committed before it was missed, and its age is no lag. */
  #helloMs = -Infinity;
  #handledMs = -Infinity;
  #networkMs = 0;
  #pageMs = 0;

  /**
   * @param {object} options
   * @param {Clock} options.clock
   * @param {ServerClock} options.serverClock
   * @param {Pick<EventLoopMonitor, "probe" | "saturatedMs">} options.eventLoop
   */
  constructor({ clock, serverClock, eventLoop }) {
    this.#clock = clock;
    this.#serverClock = serverClock;
    this.#eventLoop = eventLoop;
  }

  /** @param {Message} message  Handled now. */
  receive(message) {
    this.#eventLoop.probe();
    const sentMs = messageTime(message);
    if (message.type === "hello") {
      // Over another connection: it says nothing about what is on the screen.
      this.#helloMs = sentMs ?? this.#helloMs;
      return;
    }
    if (sentMs === null || sentMs < this.#helloMs) return;
    const lagMs = Math.max(0, this.#serverClock.lagMs(sentMs));
    this.#handledMs = this.#clock.elapsed();
    this.#pageMs = Math.min(lagMs, this.#eventLoop.saturatedMs());
    this.#networkMs = lagMs - this.#pageMs;
  }

  /** @returns {Lag} */
  get current() {
    const isIdle = this.#clock.elapsed() - this.#handledMs >= IDLE_MS && this.#eventLoop.saturatedMs() === 0;
    if (isIdle) this.#networkMs = this.#pageMs = 0;
    return { networkMs: this.#networkMs, pageMs: this.#pageMs };
  }
}
