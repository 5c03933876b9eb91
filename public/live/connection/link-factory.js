// @ts-check
/** What every try to connect has in common: races from where the page is, and links from what they find. */
import { isLate } from "../../state/liveness.js";
import { Link } from "./link.js";
import { Race } from "./race.js";

/** @typedef {import("../transports/transport.js").TransportName} TransportName */
/** @typedef {import("./race.js").Win} Win */
/** @typedef {import("./race.js").Loss} Loss */

export class Dialer {
  #clock;
  #awake;
  #eventLoop;
  #serverClock;
  #transports;
  #since;

  /**
   * @param {object} parts
   * @param {import("../clock.js").Clock} parts.clock
   * @param {import("./sleep-detector.js").Awake} parts.awake
   * @param {import("./event-loop-monitor.js").EventLoop} parts.eventLoop
   * @param {import("../../state/server-clock.js").ServerClock} parts.serverClock
   * @param {Record<TransportName, () => import("../transports/transport.js").Transport>} parts.transports
   * @param {() => string} parts.since  Where the page is.
   */
  constructor({ clock, awake, eventLoop, serverClock, transports, since }) {
    this.#clock = clock;
    this.#awake = awake;
    this.#eventLoop = eventLoop;
    this.#serverClock = serverClock;
    this.#transports = transports;
    this.#since = since;
  }

  get cursor() {
    return this.#since();
  }

  /**
   * A race that is yet to be started.
   * @param {object} what
   * @param {TransportName[]} what.names  In the order in which to try them.
   * @param {import("../transports/transport.js").Change} [what.change]
   * @param {(win: Win) => void} what.onwin
   * @param {(loss: Loss) => void} what.onlose
   */
  race({ names, ...rest }) {
    return new Race({
      clock: this.#clock,
      transports: names.map((name) => this.#transports[name]()),
      since: this.#since(),
      isLate: (name, hello) => isLate(name, hello, this.#serverClock, this.#load),
      ...rest,
    });
  }

  /** @param {Win} win */
  link(win) {
    return new Link({
      clock: this.#clock,
      awake: this.#awake,
      eventLoop: this.#eventLoop,
      serverClock: this.#serverClock,
      win,
    });
  }

  get #load() {
    return { awakeMs: this.#awake.forMs(), saturatedMs: this.#eventLoop.saturatedMs() };
  }
}
