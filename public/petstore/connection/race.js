// @ts-check
/**
 * Finds a transport that works, and then the best one. Transports start together, or after the head start of others. The first
 * one that delivers `hello` is used immediately, and better ones stay as candidates.
 *
 * An open transport proves nothing: proxies open streams that they buffer, and sockets whose frames they drop. Only a
 * delivered message counts. The page uses the messages of a candidate immediately, but moves to it only once it was useful,
 * now or earlier on this network. Until then the link in use stays, so a candidate that fails has no visible effect.
 */
import { noop } from "../transports/transport.js";
/** @import { Clock } from "../clock.js" */
/** @import { Message } from "../protocol/message.js" */
/** @import { Switch, SwitchReason, Transport, TransportName } from "../transports/transport.js" */
/** @import { Answer } from "./catch-up.js" */
/** @import { Link } from "./link.js" */
/** @import { LinkFactory } from "./link-factory.js" */
/** @import { TransportPreference } from "./transport-preference.js" */

/**
 * A transport that has started. `link` and `hello` are set once it has delivered hello.
 * @typedef {object} Candidate
 * @property {TransportName} name
 * @property {Transport} transport
 * @property {string} since  The cursor that it was opened with.
 * @property {Message} [hello]
 * @property {Link} [link]
 */

/**
 * @typedef {object} Loss
 * @property {number} [retryMs]  How long the server asked the client to stay away.
 * @property {boolean} isLate  Messages arrived, and all were late.
 */

/**
 * Bounds of a head start. Within them it follows the round trip of the first poll. A race without a first poll has the longest
 * head start: a crowd returns, and an extra attempt would load the server when it has most to do.
 */
const MIN_HEAD_START_MS = 50;
const MAX_HEAD_START_MS = 3_000;

/** Head start before polling: an extra stream costs the server less than an extra request. */
const ROUND_TRIPS = 2;

/** Head start of a transport that is known to work: a WebSocket needs this long behind TLS. */
const KNOWN_ROUND_TRIPS = 4;

/** A transport has failed if no hello arrives within this time. */
const TIMEOUT_MS = 10_000;

/** A candidate that died or fell silent has failed if the link in use survives it for this long. */
const VERDICT_MS = 8_000;

export class Race {
  /** @type {(link: Link, message: Message) => void} Receives the messages of a candidate, except its hello. */
  onmessage = noop;
  /** @type {(link: Link, hello: Message) => void} The caller takes over the link and its handlers. */
  onwin = noop;
  /** No candidate is left beside the link in use. */
  onsettle = noop;
  /** @type {(loss: Loss) => void} No candidate is left, and no link is in use. */
  onlose = noop;
  #clock;
  #links;
  #preference;
  /** @type {TransportName[][]} Transports that start together, after those before them. */
  #steps = [];
  #stepMs = 0;
  /** @type {Set<Candidate>} */
  #candidates = new Set();
  /** @type {TransportName | null} */
  #inUse = null;
  /** @type {Switch | undefined} */
  #cause;
  /** @type {Promise<Answer | null> | null} */
  #firstPoll = null;
  #roundTripMs = Infinity;
  #isReturn = false;
  #isLate = false;
  /** @type {number | undefined} */
  #retryMs;
  #cancelNext = noop;
  #cancelTimeout = noop;
  #cancelVerdict = noop;
  /** @type {TransportName | null} The candidate that the verdict is about. */
  #suspect = null;

  /** @param {{ clock: Clock, links: LinkFactory, preference: TransportPreference }} options */
  constructor({ clock, links, preference }) {
    this.#clock = clock;
    this.#links = links;
    this.#preference = preference;
  }

  /**
   * @param {object} options
   * @param {TransportName[][]} options.steps
   * @param {TransportName | null} [options.inUse]  Its link stays until a better transport was useful.
   * @param {Switch} [options.cause]  Why the page switches transports, if it does.
   * @param {Promise<Answer | null> | null} [options.firstPoll]  Null if it failed.
   * @param {boolean} [options.isReturn]  The first transport worked: if it is refused now, the server is down.
   */
  start({ steps, inUse = null, cause, firstPoll = null, isReturn = false }) {
    this.stop();
    this.#steps = steps;
    this.#inUse = inUse;
    this.#cause = cause;
    this.#firstPoll = firstPoll;
    this.#roundTripMs = Infinity;
    this.#isReturn = isReturn;
    this.#isLate = false;
    this.#retryMs = undefined;
    this.#cancelTimeout = this.#clock.after(TIMEOUT_MS, () => this.#timeout());
    firstPoll?.then((answer) => firstPoll === this.#firstPoll && answer && this.#measured(answer.roundTripMs));
    this.#next();
  }

  stop() {
    this.#cancelNext();
    this.#cancelTimeout();
    this.#dropSuspect();
    this.#steps = [];
    this.#firstPoll = null;
    for (const candidate of this.#candidates) this.#drop(candidate);
  }

  /** The link in use ended: moves to a candidate that has delivered hello. Returns false if there is none. */
  takeOver() {
    // The server or the network ended both links.
    if (this.#suspect) this.#preference.recordServerFailure(this.#suspect);
    this.#dropSuspect();
    const ready = [...this.#candidates].find(({ link }) => link);
    if (ready) this.#use(ready);
    return ready !== undefined;
  }

  #next() {
    const names = this.#steps.shift() ?? [];
    /** @type {Candidate[]} */
    const started = names.map((name) => ({ name, transport: this.#links.transport(name), since: "" }));
    for (const candidate of started) this.#candidates.add(candidate);
    this.#stepMs = this.#clock.elapsed();
    // Before they open: if all fail synchronously, the next ones start, and cancel this timer.
    this.#scheduleNext(names);
    for (const candidate of started) if (this.#candidates.has(candidate)) this.#open(candidate);
  }

  /** @param {TransportName[]} names  The transports that have the head start. */
  #scheduleNext(names) {
    this.#cancelNext();
    const [next] = this.#steps;
    if (!next) return;
    const isPoll = next[0] === "poll" || next[0] === "short";
    const roundTrips = isPoll ? ROUND_TRIPS : KNOWN_ROUND_TRIPS;
    const headStartMs = Math.min(MAX_HEAD_START_MS, MIN_HEAD_START_MS + roundTrips * this.#roundTripMs);
    this.#cancelNext = this.#clock.after(this.#stepMs + headStartMs - this.#clock.elapsed(), () => {
      // The streams compete. Polling starts only because they were silent.
      if (isPoll) this.#cause ??= { from: names[names.length - 1], why: "silent" };
      this.#next();
    });
  }

  /** @param {number} roundTripMs */
  #measured(roundTripMs) {
    this.#roundTripMs = roundTripMs;
    const names = [...this.#candidates].map(({ name }) => name);
    this.#scheduleNext(names);
  }

  /** Opens a transport. Polling continues the first poll, and need not ask again. @param {Candidate} candidate */
  #open(candidate) {
    if (candidate.name !== "poll" || !this.#firstPoll) return this.#dial(candidate);
    this.#firstPoll.then((answer) => this.#candidates.has(candidate) && this.#dial(candidate, answer?.hello));
  }

  /** @param {Candidate} candidate @param {Message} [hello]  Of the first poll. */
  #dial(candidate, hello) {
    const { name, transport } = candidate;
    candidate.since = this.#links.cursor;
    transport.onmessage = (message) => this.#receive(candidate, message);
    transport.onstate = (state, info) => state === "closed" && this.#refused(candidate, info?.retryMs);
    transport.open(candidate.since, this.#cause?.from === name ? undefined : this.#cause, hello);
    if (hello && this.#candidates.has(candidate)) this.#receive(candidate, hello);
  }

  /** @param {Candidate} candidate @param {Message} message */
  #receive(candidate, message) {
    // The server is stopping or full, and would answer the same over every other transport.
    if (message.type === "bye") return this.#inUse ? this.#remove(candidate) : this.#lose(message.retry_ms);
    if (message.type !== "hello") return;
    if (!this.#links.isLate(candidate.name, message)) return this.#greeted(candidate, message);
    this.#isLate = true;
    this.#preference.recordMiss(candidate.name);
    this.#cause ??= { from: candidate.name, why: "lag" };
    this.#remove(candidate);
  }

  /** @param {Candidate} candidate @param {number} [retryMs] */
  #refused(candidate, retryMs) {
    this.#preference.recordMiss(candidate.name);
    this.#cause ??= { from: candidate.name, why: "refused" };
    this.#retryMs = retryMs ?? this.#retryMs;
    this.#remove(candidate);
  }

  /** @param {Candidate} candidate @param {Message} hello */
  #greeted(candidate, hello) {
    this.#cancelNext();
    const { name, transport, since } = candidate;
    const link = this.#links.link({ transport, hello, since });
    const start = this.#links.cursor;
    Object.assign(candidate, { link, hello });
    link.onmessage = (message) => {
      if (message.type !== "hello") this.onmessage(link, message);
      if (link.wasUseful() && link.hasReached(start)) this.#use(candidate);
    };
    link.onend = ({ why }) => {
      if (why === "died" || why === "silent") this.#judgeLater(name, why);
      else if (why !== "bye") this.#preference.recordFailure(name, why);
      this.#remove(candidate);
    };
    link.start();
    if (!this.#inUse || this.#preference.isProven(name)) this.#use(candidate);
  }

  /** @param {TransportName} name @param {SwitchReason} why */
  #judgeLater(name, why) {
    this.#dropSuspect();
    if (why === "silent") this.#preference.recordMiss(name);
    this.#suspect = name;
    this.#cancelVerdict = this.#clock.after(VERDICT_MS, () => {
      this.#suspect = null;
      this.#preference.recordFailure(name, why);
    });
  }

  #dropSuspect() {
    this.#cancelVerdict();
    this.#suspect = null;
  }

  /** @param {Candidate} candidate  Has delivered hello. */
  #use(candidate) {
    const { name, link, hello } = candidate;
    // The message that made it useful may have closed the page.
    if (!link || !hello || !this.#candidates.delete(candidate)) return;
    this.#inUse = name;
    this.#cancelNext();
    this.#steps = [];
    const better = this.#preference.betterThan(name);
    for (const other of this.#candidates) if (!better.includes(other.name)) this.#drop(other);
    this.onwin(link, hello);
    if (this.#candidates.size === 0) this.#settle();
  }

  /** @param {Candidate} candidate */
  #drop(candidate) {
    const { link, transport } = candidate;
    this.#candidates.delete(candidate);
    transport.onmessage = transport.onstate = noop;
    if (link) link.stop();
    else transport.close();
  }

  /** @param {Candidate} candidate */
  #remove(candidate) {
    this.#drop(candidate);
    if (this.#candidates.size > 0) return;
    if (this.#steps.length > 0 && !this.#isReturn) this.#next();
    else this.#end();
  }

  #timeout() {
    this.#cancelNext();
    this.#steps = [];
    for (const candidate of this.#candidates) {
      if (candidate.link) continue;
      this.#preference.recordMiss(candidate.name);
      this.#drop(candidate);
    }
    if (this.#candidates.size === 0) this.#end();
  }

  #end() {
    if (this.#inUse) this.#settle();
    else this.#lose();
  }

  #settle() {
    this.#cancelTimeout();
    this.onsettle();
  }

  #lose(retryMs = this.#retryMs) {
    this.stop();
    this.onlose({ retryMs, isLate: this.#isLate });
  }
}
