// @ts-check
/** Builds races and links from the parts that every connection attempt shares. */
import { isHelloLate } from "../../state/liveness.js";
import { Link } from "./link.js";
import { Race } from "./race.js";

/** @typedef {import("../transports/transport.js").TransportName} TransportName */
/** @typedef {import("./race.js").Win} Win */

/**
 * @typedef {object} Parts
 * @property {import("../clock.js").Clock} clock
 * @property {import("./sleep-detector.js").SleepDetector} sleepDetector
 * @property {import("./event-loop-monitor.js").EventLoopMonitor} eventLoop
 * @property {import("../../state/server-clock.js").ServerClock} serverClock
 * @property {Record<TransportName, () => import("../transports/transport.js").Transport>} transports
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
   * @param {import("../transports/transport.js").Switch} [options.cause]
   * @param {(win: Win) => void} options.onwin
   * @param {(loss: import("./race.js").Loss) => void} options.onlose
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
