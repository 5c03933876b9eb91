// @ts-check
/**
 * Finds a transport that works: they start one after the other, each with a short head start, and the first that delivers
 * `hello` in time wins. The others are closed.
 *
 * An open transport proves nothing: proxies open streams that they buffer, and sockets whose frames they drop. Only a
 * delivered message counts.
 */
import { noop } from "../transports/transport.js";
/** @import { Clock } from "../clock.js" */
/** @import { Message } from "../protocol/message.js" */
/** @import { Switch, Transport, TransportName } from "../transports/transport.js" */

/**
 * A transport that delivered hello in time. The caller sets its handlers.
 * @typedef {object} Win
 * @property {Transport} transport
 * @property {Message} hello
 * @property {string} since  The cursor that it was opened with.
 * @property {TransportName[]} refused  Transports that failed before it won.
 * @property {TransportName[]} late  Transports whose hello was late, or had not arrived yet.
 */

/**
 * @typedef {object} Loss
 * @property {number} [retryMs]  How long the server asked the client to stay away.
 * @property {boolean} isLate  Messages arrived, and all were late.
 */

/**
 * Head start of the previous transport, unless it fails earlier: long enough for a good network, short for a person.
 * Polling waits longer, because an extra stream costs the server less than an extra request.
 * @type {Record<TransportName, number>}
 */
const HEAD_START_MS = { ws: 250, sse: 250, poll: 1750, short: 2000 };

/** The race is lost if no hello arrives within this time. */
const TIMEOUT_MS = 10_000;

export class Race {
  #clock;
  #pending;
  #since;
  /** @type {Switch | undefined} */
  #cause;
  #isLate;
  #onwin;
  #onlose;
  /** @type {Set<Transport>} */
  #running = new Set();
  /** @type {TransportName[]} */
  #refused = [];
  /** @type {TransportName[]} */
  #late = [];
  #cancelNext = noop;
  #cancelTimeout = noop;
  /** @type {number | undefined} */
  #retryMs;

  /**
   * @param {object} options
   * @param {Clock} options.clock
   * @param {Transport[]} options.transports  In the order in which they start.
   * @param {string} options.since
   * @param {Switch} [options.cause]  Why the page switches transports, if it does.
   * @param {(name: TransportName, hello: Message) => boolean} options.isLate
   * @param {(win: Win) => void} options.onwin
   * @param {(loss: Loss) => void} options.onlose
   */
  constructor({ clock, transports, since, cause, isLate, onwin, onlose }) {
    this.#clock = clock;
    this.#pending = [...transports];
    this.#since = since;
    this.#cause = cause;
    this.#isLate = isLate;
    this.#onwin = onwin;
    this.#onlose = onlose;
  }

  start() {
    this.#cancelTimeout = this.#clock.after(TIMEOUT_MS, () => this.#lose());
    this.#next();
  }

  stop() {
    this.#cancelNext();
    this.#cancelTimeout();
    this.#pending.length = 0;
    for (const transport of this.#running) closeQuietly(transport);
    this.#running.clear();
  }

  #next() {
    this.#cancelNext();
    const transport = this.#pending.shift();
    if (!transport) return;
    this.#running.add(transport);
    // Before `open`: a transport that fails synchronously starts the next one, and cancels this timer.
    this.#scheduleAfter(transport);
    transport.onmessage = (message) => this.#receive(transport, message);
    transport.onstate = (state, info) => state === "closed" && this.#failed(transport, info?.retryMs);
    transport.open(this.#since, this.#cause?.from === transport.name ? undefined : this.#cause);
  }

  /** @param {Transport} transport */
  #scheduleAfter({ name }) {
    const next = this.#pending[0]?.name;
    if (next === undefined) return;
    this.#cancelNext = this.#clock.after(HEAD_START_MS[next], () => {
      // The streams compete. Polling starts only because they were silent.
      if (next === "poll" || next === "short") this.#cause ??= { from: name, why: "silent" };
      this.#next();
    });
  }

  /** @param {Transport} transport @param {Message} message */
  #receive(transport, message) {
    // The server is stopping or full, and would answer the same over every other transport.
    if (message.type === "bye") return this.#lose(message.retry_ms);
    if (message.type !== "hello") return;
    if (!this.#isLate(transport.name, message)) return this.#win(transport, message);
    this.#late.push(transport.name);
    this.#cause ??= { from: transport.name, why: "lag" };
    closeQuietly(transport);
    this.#remove(transport);
  }

  /** @param {Transport} transport @param {number} [retryMs] */
  #failed(transport, retryMs) {
    this.#refused.push(transport.name);
    this.#cause ??= { from: transport.name, why: "refused" };
    this.#retryMs = retryMs ?? this.#retryMs;
    this.#remove(transport);
  }

  /** @param {Transport} transport */
  #remove(transport) {
    this.#running.delete(transport);
    if (this.#running.size > 0) return;
    if (this.#pending.length > 0) this.#next();
    else this.#lose();
  }

  /** @param {Transport} transport @param {Message} hello */
  #win(transport, hello) {
    this.#running.delete(transport);
    const late = [...this.#late, ...[...this.#running].map(({ name }) => name)];
    this.stop();
    this.#onwin({ transport, hello, since: this.#since, refused: this.#refused, late });
  }

  #lose(retryMs = this.#retryMs) {
    this.stop();
    this.#onlose({ retryMs, isLate: this.#late.length > 0 });
  }
}

/** @param {Transport} transport */
function closeQuietly(transport) {
  transport.onmessage = transport.onstate = noop;
  transport.close();
}
