// @ts-check
/**
 * Keeps the page connected: a race finds the rung, a link proves it, and when the link ends there is another race, from
 * where the page is by then. Beside a link of a lesser rung, a climb looks for a better one.
 *
 * It decides what follows what, and leaves the rest to its parts. Sharing one connection between tabs would
 * replace this class.
 */
import { Ladder } from "../../state/transport-preference.js";
import { Awake } from "./sleep-detector.js";
import { Climb } from "./upgrade.js";
import { Dialer } from "./link-factory.js";
import { Handover } from "./handover.js";
import { Retry } from "./retry.js";
import { ignore } from "../transports/transport.js";

/** @typedef {import("../transports/transport.js").TransportName} TransportName */
/** @typedef {import("./handover.js").ConnectionState} ConnectionState */

export class Connection {
  /** @type {(message: import("../transports/message.js").Message) => void} Each change once, in order, however many links brought it. */
  onmessage = ignore;
  /** @type {(state: ConnectionState) => void} */
  onstate = ignore;
  #serverClock;
  #ladder;
  #awake;
  #dialer;
  #handover;
  #climb;
  #retry;
  #isStarted = false;
  /** @type {import("./race.js").Race | null} */
  #race = null;
  /** @type {import("../transports/transport.js").Change | undefined} What the next race is for. */
  #change;

  /**
   * @param {object} parts
   * @param {import("../clock.js").Clock} parts.clock
   * @param {() => number} parts.random  From 0 up to 1.
   * @param {Record<TransportName, () => import("../transports/transport.js").Transport>} parts.transports  The best first.
   * @param {() => string} parts.since  Where the page is; it moves with what `onmessage` is given.
   * @param {import("../../state/server-clock.js").ServerClock} parts.serverClock
   * @param {import("./event-loop-monitor.js").EventLoop} parts.eventLoop
   * @param {Pick<import("./health-check.js").Health, "ask">} parts.health
   * @param {import("../../state/transport-preference.js").Memory} parts.memory
   * @param {() => boolean} parts.isFrugal  Whether data is dear.
   */
  constructor({ clock, random, transports, since, serverClock, eventLoop, health, memory, isFrugal }) {
    const ladder = new Ladder(/** @type {TransportName[]} */ (Object.keys(transports)), memory);
    const awake = new Awake(clock);
    const dialer = new Dialer({ clock, awake, eventLoop, serverClock, transports, since });
    const handover = new Handover({ since, ladder });
    const climb = new Climb({ clock, dialer, ladder, isFrugal });
    handover.onmessage = (message) => this.onmessage(message);
    handover.onstate = (state) => this.onstate(state);
    handover.onend = (link, ending) => this.#ended(link, ending);
    climb.onmessage = (link, message) => handover.pass(link, message);
    climb.onclimb = (candidate) => this.#take(candidate);
    awake.onwake = () => this.wake();
    this.#serverClock = serverClock;
    this.#ladder = ladder;
    this.#awake = awake;
    this.#dialer = dialer;
    this.#handover = handover;
    this.#climb = climb;
    this.#retry = new Retry({ clock, random, health, ladder, onretry: () => this.#connect() });
  }

  start() {
    if (this.#isStarted) return;
    this.#isStarted = true;
    this.#change = undefined;
    this.#ladder.recall();
    this.#awake.start();
    this.#connect();
  }

  stop() {
    if (!this.#isStarted) return;
    this.#isStarted = false;
    this.#awake.stop();
    this.#clear();
    this.#handover.drop();
  }

  /** The page is looked at again, or the machine woke up: a link not heard for a heartbeat is not believed. */
  wake() {
    if (this.#retry.isOwn) return this.#connect();
    if (!this.#handover.link?.isDoubtful()) return;
    this.#handover.drop();
    this.#connect();
  }

  /** The browser says that it has a network again, perhaps another one: what was learned about the old one is void. */
  online() {
    const { link } = this.#handover;
    if (link) this.#change = { from: link.name, why: "network" };
    this.#ladder.forget();
    this.#retry.reset();
    this.wake();
    this.#climb.now();
  }

  /** The browser says that it has no network. It may be wrong (this machine itself can be the server). */
  offline() {
    this.#handover.link?.doubt();
  }

  #connect() {
    this.#clear();
    this.#handover.seek();
    this.#race = this.#dialer.race({
      names: this.#ladder.order(),
      change: this.#change,
      onwin: (win) => this.#won(win),
      onlose: (loss) => this.#lost(loss),
    });
    this.#race.start();
  }

  /** @param {import("./race.js").Win} win */
  #won(win) {
    this.#race = null;
    for (const name of [...win.refused, ...win.late]) this.#ladder.miss(name);
    const link = this.#dialer.link(win);
    link.start();
    this.#take({ link, hello: win.hello });
  }

  /** @param {import("./race.js").Loss} loss */
  #lost({ retryMs, isLate }) {
    this.#race = null;
    this.#handover.drop();
    // Everything comes late, so late is what this network is, or the server's clock was set: better than nothing.
    if (isLate) this.#serverClock.forget();
    this.#retry.after(retryMs);
  }

  /** @param {Pick<import("./upgrade.js").Candidate, "link" | "hello">} candidate */
  #take({ link, hello }) {
    this.#ladder.settle(link.name);
    this.#climb.start(link);
    this.#handover.take(link, hello);
  }

  /**
   * @param {import("./link.js").Link} link
   * @param {import("./link.js").LinkEnding} ending
   */
  #ended(link, ending) {
    const { why } = ending;
    this.#change = why === "bye" ? undefined : { from: link.name, why };
    const candidate = this.#climb.yield();
    if (candidate) return this.#take(candidate);
    if (why !== "lag") this.#handover.drop();
    this.#retry.afterLink(link, ending);
  }

  /** Ends whatever was to lead to another link. */
  #clear() {
    this.#retry.cancel();
    this.#race?.stop();
    this.#race = null;
    this.#climb.stop();
  }
}
