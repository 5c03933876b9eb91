// @ts-check
/**
 * Keeps the page connected: a race finds a transport, a link checks it for as long as it is used, and when the link ends
 * the next race starts at the cursor of the page. Beside a link that is not the best one, the race looks for a better
 * transport from time to time.
 *
 * This class only orders these steps. `SharedConnection` has the same interface and shares one connection between
 * tabs.
 */
import { TransportPreference } from "./transport-preference.js";
import { noop } from "../transports/transport.js";
import { Handover } from "./handover.js";
import { LinkFactory } from "./link-factory.js";
import { Race } from "./race.js";
import { Retry } from "./retry.js";
import { SleepDetector } from "./sleep-detector.js";
import { Upgrade } from "./upgrade.js";
/** @import { ServerClock } from "./server-clock.js" */
/** @import { Memory } from "./transport-preference.js" */
/** @import { Clock } from "../clock.js" */
/** @import { Message } from "../protocol/message.js" */
/** @import { Switch, Transport, TransportName } from "../transports/transport.js" */
/** @import { Answer, CatchUp } from "./catch-up.js" */
/** @import { EventLoopMonitor } from "./event-loop-monitor.js" */
/** @import { ConnectionState } from "./handover.js" */
/** @import { HealthCheck } from "./health-check.js" */
/** @import { HeartbeatInterval } from "./heartbeat-interval.js" */
/** @import { Link, LinkEnd } from "./link.js" */
/** @import { Loss } from "./race.js" */

/** While the server is down, the transport that worked is dialled alone, except in every attempt with this number. */
const FULL_RACE = 3;

export class Connection {
  /** @type {(message: Message) => void} Receives each change once and in order. */
  onmessage = noop;
  /** @type {(state: ConnectionState) => void} */
  onstate = noop;
  #since;
  #serverClock;
  #catchUp;
  #preference;
  #sleepDetector;
  #links;
  #handover;
  #race;
  #upgrade;
  #retry;
  #isStarted = false;
  #request = new AbortController();
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
   * @param {HeartbeatInterval} options.heartbeat
   * @param {Pick<HealthCheck, "check">} options.health
   * @param {Pick<CatchUp, "run">} options.catchUp
   * @param {Memory} options.memory
   * @param {() => boolean} options.savesData
   */
  constructor({ clock, random, transports, since, serverClock, eventLoop, heartbeat, health, catchUp, memory, savesData }) {
    const preference = new TransportPreference(/** @type {TransportName[]} */ (Object.keys(transports)), memory);
    const sleepDetector = new SleepDetector(clock);
    const links = new LinkFactory({ clock, sleepDetector, eventLoop, serverClock, heartbeat, transports, since });
    const handover = new Handover(since);
    const race = new Race({ clock, links, preference });
    const upgrade = new Upgrade({ clock, preference, savesData });
    handover.onmessage = (message) => {
      this.onmessage(message);
      if (message.room) upgrade.tryNow();
    };
    handover.onstate = (state) => this.onstate(state);
    handover.onend = (link, end) => this.#ended(link, end);
    race.onmessage = (link, message) => handover.forward(link, message);
    race.onwin = (link, hello) => this.#won(link, hello);
    race.onsettle = () => handover.link && upgrade.schedule(handover.link.name);
    race.onlose = (loss) => this.#lost(loss);
    upgrade.ontry = (names, from) => {
      race.start({ steps: preference.steps(names), inUse: from, cause: { from, why: "upgrade" } });
    };
    sleepDetector.onwake = () => this.wake();
    this.#since = since;
    this.#serverClock = serverClock;
    this.#catchUp = catchUp;
    this.#preference = preference;
    this.#sleepDetector = sleepDetector;
    this.#links = links;
    this.#handover = handover;
    this.#race = race;
    this.#upgrade = upgrade;
    this.#retry = new Retry({ clock, random, health, preference, onretry: (attempt) => this.#reconnect(attempt) });
  }

  /** @param {Promise<Answer>} [firstPoll]  If the page has sent it already. */
  start(firstPoll) {
    if (this.#isStarted) return;
    this.#isStarted = true;
    this.#cause = undefined;
    this.#preference.restore();
    this.#sleepDetector.start();
    this.#connect({ firstPoll: this.#requestMissed(firstPoll) });
  }

  stop() {
    if (!this.#isStarted) return;
    this.#isStarted = false;
    this.#sleepDetector.stop();
    this.#request.abort();
    this.#clear();
    this.#handover.disconnect();
  }

  /**
   * The page became visible, or the machine woke up: reconnects if the link was silent for longer than a heartbeat, and
   * probes it otherwise.
   */
  wake() {
    if (this.#needsConnection()) this.#connect();
    else this.#handover.link?.probe(false);
  }

  /** The browser reports a network, which may be another one: discards what was learned about the old one. */
  online() {
    const { link } = this.#handover;
    if (link) this.#cause = { from: link.name, why: "network" };
    this.#preference.reset();
    this.#retry.reset();
    if (this.#needsConnection()) return this.#connect({ firstPoll: this.#requestMissed() });
    link?.probe(true);
    this.#requestMissed();
    this.#upgrade.tryNow();
  }

  /** The browser reports that there is no network, which can be wrong: the server may run on this machine. */
  offline() {
    this.#handover.link?.markSuspect();
  }

  #needsConnection() {
    if (this.#retry.isBackingOff) return true;
    if (!this.#handover.link?.isSuspect()) return false;
    this.#handover.disconnect();
    return true;
  }

  /**
   * Reconnects after a link ended. Sends no first poll, because a crowd may return at the same moment.
   * @param {number} attempt
   */
  #reconnect(attempt) {
    this.#connect({ isReturn: this.#preference.isReturn && attempt % FULL_RACE !== FULL_RACE - 1 });
  }

  /** @param {{ firstPoll?: Promise<Answer | null>, isReturn?: boolean }} [how] */
  #connect(how) {
    this.#clear();
    this.#handover.connecting();
    this.#race.start({ steps: this.#preference.steps(), cause: this.#cause, ...how });
  }

  /**
   * Passes on what the page missed, as soon as the server answers.
   * @param {Promise<Answer>} [request]
   * @returns {Promise<Answer | null>} Null if the server does not answer.
   */
  #requestMissed(request) {
    this.#request.abort();
    this.#request = new AbortController();
    const { signal } = this.#request;
    const since = this.#since();
    const take = (/** @type {Answer} */ answer) => {
      if (signal.aborted) return null;
      this.#serverClock.sync(answer.hello.server_time);
      this.#links.pollMs = answer.roundTripMs;
      this.#handover.forwardAll(answer.messages, since);
      return answer;
    };
    return (request ?? this.#catchUp.run(since, signal)).then(take, () => null);
  }

  /** @param {Link} link @param {Message} hello */
  #won(link, hello) {
    this.#preference.recordUse(link.name);
    this.#upgrade.stop();
    this.#handover.take(link, hello);
  }

  /** @param {Loss} loss */
  #lost({ retryMs, isLate }) {
    this.#handover.disconnect();
    // If every transport is late, the network is slow or the server's clock was set: accept the delay.
    if (isLate) this.#serverClock.reset();
    this.#retry.schedule(retryMs);
  }

  /** @param {Link} link @param {LinkEnd} end */
  #ended(link, { why, retryMs }) {
    const wasUseful = link.wasUseful();
    const isJudged = this.#preference.recordEnd(link.name, why, wasUseful);
    this.#cause = why === "bye" ? undefined : { from: link.name, why };
    if (why === "gap") this.#requestMissed();
    if (this.#race.takeOver()) return;
    this.#clear();
    if (why !== "lag") this.#handover.disconnect();
    if (wasUseful) this.#retry.reset();
    if (isJudged || why === "bye") this.#retry.schedule(retryMs);
    else this.#retry.scheduleAfterCheck(link.name, why);
  }

  /** Stops everything that could lead to another link. */
  #clear() {
    this.#retry.cancel();
    this.#race.stop();
    this.#upgrade.stop();
  }
}
