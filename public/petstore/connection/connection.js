// @ts-check
/**
 * Keeps the page connected: a race finds a transport, a link checks it for as long as it is used, and when the link ends
 * the next race starts at the cursor of the page. Beside a link that is not the best one, an upgrade looks for a better
 * transport.
 *
 * This class decides only what follows what. `SharedConnection` has the same interface and shares one connection between
 * tabs.
 */
import { TransportPreference } from "./transport-preference.js";
import { noop } from "../transports/transport.js";
import { Handover } from "./handover.js";
import { LinkFactory } from "./link-factory.js";
import { Retry } from "./retry.js";
import { SleepDetector } from "./sleep-detector.js";
import { Upgrade } from "./upgrade.js";
/** @import { ServerClock } from "./server-clock.js" */
/** @import { Memory } from "./transport-preference.js" */
/** @import { Clock } from "../clock.js" */
/** @import { Message } from "../protocol/message.js" */
/** @import { Switch, Transport, TransportName } from "../transports/transport.js" */
/** @import { EventLoopMonitor } from "./event-loop-monitor.js" */
/** @import { ConnectionState } from "./handover.js" */
/** @import { HealthCheck } from "./health-check.js" */
/** @import { Link, LinkEnd } from "./link.js" */
/** @import { Loss, Race, Win } from "./race.js" */
/** @import { Candidate } from "./upgrade.js" */

export class Connection {
  /** @type {(message: Message) => void} Receives each change once and in order. */
  onmessage = noop;
  /** @type {(state: ConnectionState) => void} */
  onstate = noop;
  #serverClock;
  #preference;
  #sleepDetector;
  #links;
  #handover;
  #upgrade;
  #retry;
  #isStarted = false;
  /** @type {Race | null} */
  #race = null;
  /** @type {Switch | undefined} Why the next race is needed. */
  #cause;

  /**
   * @param {object} options
   * @param {Clock} options.clock
   * @param {() => number} options.random  Returns a number from 0 up to 1.
   * @param {Record<TransportName, () => Transport>} options.transports  Best first.
   * @param {() => string} options.since  Returns the cursor of the page, which `onmessage` advances.
   * @param {ServerClock} options.serverClock
   * @param {EventLoopMonitor} options.eventLoop
   * @param {Pick<HealthCheck, "check">} options.health
   * @param {Memory} options.memory
   * @param {() => boolean} options.savesData
   */
  constructor({ clock, random, transports, since, serverClock, eventLoop, health, memory, savesData }) {
    const preference = new TransportPreference(/** @type {TransportName[]} */ (Object.keys(transports)), memory);
    const sleepDetector = new SleepDetector(clock);
    const links = new LinkFactory({ clock, sleepDetector, eventLoop, serverClock, transports, since });
    const handover = new Handover({ since, preference });
    const upgrade = new Upgrade({ clock, links, preference, savesData });
    handover.onmessage = (message) => this.onmessage(message);
    handover.onstate = (state) => this.onstate(state);
    handover.onend = (link, end) => this.#ended(link, end);
    upgrade.onmessage = (link, message) => handover.forward(link, message);
    upgrade.onupgrade = (candidate) => this.#take(candidate);
    sleepDetector.onwake = () => this.wake();
    this.#serverClock = serverClock;
    this.#preference = preference;
    this.#sleepDetector = sleepDetector;
    this.#links = links;
    this.#handover = handover;
    this.#upgrade = upgrade;
    this.#retry = new Retry({ clock, random, health, preference, onretry: () => this.#connect() });
  }

  start() {
    if (this.#isStarted) return;
    this.#isStarted = true;
    this.#cause = undefined;
    this.#preference.restore();
    this.#sleepDetector.start();
    this.#connect();
  }

  stop() {
    if (!this.#isStarted) return;
    this.#isStarted = false;
    this.#sleepDetector.stop();
    this.#clear();
    this.#handover.disconnect();
  }

  /** The page became visible, or the machine woke up: reconnects if the link was silent for longer than a heartbeat. */
  wake() {
    if (this.#retry.isBackingOff) return this.#connect();
    if (!this.#handover.link?.isSuspect()) return;
    this.#handover.disconnect();
    this.#connect();
  }

  /** The browser reports a network, which may be another one: discards what was learned about the old one. */
  online() {
    const { link } = this.#handover;
    if (link) this.#cause = { from: link.name, why: "network" };
    this.#preference.reset();
    this.#retry.reset();
    this.wake();
    this.#upgrade.tryNow();
  }

  /** The browser reports that there is no network, which can be wrong: the server may run on this machine. */
  offline() {
    this.#handover.link?.markSuspect();
  }

  #connect() {
    this.#clear();
    this.#handover.connecting();
    this.#race = this.#links.race({
      names: this.#preference.order(),
      cause: this.#cause,
      onwin: (win) => this.#won(win),
      onlose: (loss) => this.#lost(loss),
    });
    this.#race.start();
  }

  /** @param {Win} win */
  #won(win) {
    this.#race = null;
    for (const name of [...win.refused, ...win.late]) this.#preference.recordMiss(name);
    const link = this.#links.link(win);
    link.start();
    this.#take({ link, hello: win.hello });
  }

  /** @param {Loss} loss */
  #lost({ retryMs, isLate }) {
    this.#race = null;
    this.#handover.disconnect();
    // If every transport is late, the network is slow or the server's clock was set: accept the delay.
    if (isLate) this.#serverClock.reset();
    this.#retry.schedule(retryMs);
  }

  /** @param {Candidate} candidate */
  #take({ link, hello }) {
    this.#preference.recordUse(link.name);
    this.#upgrade.start(link);
    this.#handover.take(link, hello);
  }

  /** @param {Link} link @param {LinkEnd} end */
  #ended(link, end) {
    const { why } = end;
    this.#cause = why === "bye" ? undefined : { from: link.name, why };
    const candidate = this.#upgrade.takeCandidate();
    if (candidate) return this.#take(candidate);
    if (why !== "lag") this.#handover.disconnect();
    this.#retry.scheduleAfterLink(link, end);
  }

  /** Stops everything that could lead to another link. */
  #clear() {
    this.#retry.cancel();
    this.#race?.stop();
    this.#race = null;
    this.#upgrade.stop();
  }
}
