// @ts-check
/** Builds transports and links from the parts that every connection attempt shares. */
import { isHelloLate } from "./liveness.js";
import { Link } from "./link.js";
/** @import { ServerClock } from "./server-clock.js" */
/** @import { Clock } from "../clock.js" */
/** @import { Message } from "../protocol/message.js" */
/** @import { Transport, TransportName } from "../transports/transport.js" */
/** @import { HeartbeatInterval } from "./heartbeat-interval.js" */
/** @import { EventLoopMonitor } from "./event-loop-monitor.js" */
/** @import { SleepDetector } from "./sleep-detector.js" */

/**
 * A transport that has delivered hello.
 * @typedef {object} Win
 * @property {Transport} transport
 * @property {Message} hello
 * @property {string} since  The cursor that it was opened with.
 */

/**
 * @typedef {object} Parts
 * @property {Clock} clock
 * @property {SleepDetector} sleepDetector
 * @property {EventLoopMonitor} eventLoop
 * @property {ServerClock} serverClock
 * @property {HeartbeatInterval} heartbeat
 * @property {Record<TransportName, () => Transport>} transports
 * @property {() => string} since  Returns the cursor of the page.
 */

export class LinkFactory {
  /** How long a poll takes on this network; 0 if that is not known. */
  pollMs = 0;
  #parts;

  /** @param {Parts} parts */
  constructor(parts) {
    this.#parts = parts;
  }

  /** The cursor of the page. */
  get cursor() {
    return this.#parts.since();
  }

  /** @param {TransportName} name */
  transport(name) {
    return this.#parts.transports[name]();
  }

  /**
   * Returns true if a hello is so late that its link would be useless.
   * @param {TransportName} name
   * @param {Message} hello
   */
  isLate(name, hello) {
    const { serverClock, sleepDetector, eventLoop } = this.#parts;
    const load = { awakeMs: sleepDetector.awakeMs(), saturatedMs: eventLoop.saturatedMs() };
    return isHelloLate(name, hello, serverClock, load);
  }

  /** @param {Win} win */
  link(win) {
    return new Link({ ...this.#parts, win, pollMs: () => this.pollMs });
  }
}
