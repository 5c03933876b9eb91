// @ts-check
/** Builds races and links from the parts that every connection attempt shares. */
import { isHelloLate } from "./liveness.js";
import { Link } from "./link.js";
import { Race } from "./race.js";
/** @import { ServerClock } from "./server-clock.js" */
/** @import { Clock } from "../clock.js" */
/** @import { Switch, Transport, TransportName } from "../transports/transport.js" */
/** @import { EventLoopMonitor } from "./event-loop-monitor.js" */
/** @import { Loss, Win } from "./race.js" */
/** @import { SleepDetector } from "./sleep-detector.js" */

/**
 * @typedef {object} Parts
 * @property {Clock} clock
 * @property {SleepDetector} sleepDetector
 * @property {EventLoopMonitor} eventLoop
 * @property {ServerClock} serverClock
 * @property {Record<TransportName, () => Transport>} transports
 * @property {() => string} since  Returns the cursor of the page.
 */

export class LinkFactory {
  #parts;

  /** @param {Parts} parts */
  constructor(parts) {
    this.#parts = parts;
  }

  /** The cursor of the page. */
  get cursor() {
    return this.#parts.since();
  }

  /**
   * Builds a race, which the caller starts.
   * @param {object} options
   * @param {TransportName[]} options.names  In the order in which they start.
   * @param {Switch} [options.cause]
   * @param {(win: Win) => void} options.onwin
   * @param {(loss: Loss) => void} options.onlose
   */
  race({ names, ...options }) {
    const { clock, transports, serverClock, sleepDetector, eventLoop } = this.#parts;
    return new Race({
      clock,
      transports: names.map((name) => transports[name]()),
      since: this.cursor,
      isLate: (name, hello) => {
        const load = { awakeMs: sleepDetector.awakeMs(), saturatedMs: eventLoop.saturatedMs() };
        return isHelloLate(name, hello, serverClock, load);
      },
      ...options,
    });
  }

  /** @param {Win} win */
  link(win) {
    return new Link({ ...this.#parts, win });
  }
}
