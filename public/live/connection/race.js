// @ts-check
/**
 * Finds the transport that works here and now: they start one after the other, each with a short head start,
 * and the first that delivers `hello` in time wins. The others are closed.
 *
 * That a transport opened proves nothing: proxies open streams that they hold back, and sockets whose frames
 * they eat. Only a message that came through counts.
 */
import { ignore } from "../transports/transport.js";

/** @typedef {import("../transports/transport.js").Transport} Transport */
/** @typedef {import("../transports/transport.js").TransportName} TransportName */
/** @typedef {import("../transports/message.js").Message} Message */

/**
 * A transport that said hello. Its handlers are whoever's who takes it.
 * @typedef {object} Win
 * @property {Transport} transport
 * @property {Message} hello
 * @property {string} since  What it was opened with.
 * @property {TransportName[]} refused  Those that failed before.
 * @property {TransportName[]} late  Those that said hello too late, or were still to say it.
 */

/**
 * @typedef {object} Loss
 * @property {number} [retryMs]  The time the server asked for, if it did.
 * @property {boolean} isLate  Something was heard, and all of it too late.
 */

/**
 * How long the one before has before this one starts beside it, unless it fails first: long enough for a good network,
 * short for a person. A stream costs the server little, a question it has to answer in vain costs more.
 * @type {Record<TransportName, number>}
 */
const WAIT_FOR_START_MS = { ws: 250, sse: 250, poll: 1750, short: 2000 };

/** After this long without any `hello`, nobody has won. */
const CONNECT_TIMEOUT_MS = 10_000;

export class Race {
  #clock;
  #waiting;
  #since;
  /** @type {import("../transports/transport.js").Change | undefined} */
  #change;
  #isLate;
  #onwin;
  #onlose;
  /** @type {Set<Transport>} */
  #running = new Set();
  /** @type {TransportName[]} */
  #refused = [];
  /** @type {TransportName[]} */
  #late = [];
  #cancelNext = ignore;
  #cancelTimeout = ignore;
  /** @type {number | undefined} */
  #retryMs;

  /**
   * @param {object} parts
   * @param {import("../clock.js").Clock} parts.clock
   * @param {Transport[]} parts.transports  In the order in which they start.
   * @param {string} parts.since
   * @param {import("../transports/transport.js").Change} [parts.change]  What the race is for, when it is not the first.
   * @param {(name: TransportName, hello: Message) => boolean} parts.isLate
   * @param {(win: Win) => void} parts.onwin
   * @param {(loss: Loss) => void} parts.onlose
   */
  constructor({ clock, transports, since, change, isLate, onwin, onlose }) {
    this.#clock = clock;
    this.#waiting = [...transports];
    this.#since = since;
    this.#change = change;
    this.#isLate = isLate;
    this.#onwin = onwin;
    this.#onlose = onlose;
  }

  start() {
    this.#cancelTimeout = this.#clock.after(CONNECT_TIMEOUT_MS, () => this.#lose());
    this.#next();
  }

  stop() {
    this.#cancelNext();
    this.#cancelTimeout();
    this.#waiting.length = 0;
    for (const transport of this.#running) release(transport);
    this.#running.clear();
  }

  #next() {
    this.#cancelNext();
    const transport = this.#waiting.shift();
    if (!transport) return;
    this.#running.add(transport);
    // Before opening: one that fails at once starts the next at once, and takes this timer back.
    this.#scheduleAfter(transport);
    transport.onmessage = (message) => this.#heard(transport, message);
    transport.onstate = (state, ending) => state === "closed" && this.#failed(transport, ending?.retryMs);
    transport.open(this.#since, this.#change?.from === transport.name ? undefined : this.#change);
  }

  /** @param {Transport} transport */
  #scheduleAfter({ name }) {
    const next = this.#waiting[0]?.name;
    if (next === undefined) return;
    this.#cancelNext = this.#clock.after(WAIT_FOR_START_MS[next], () => {
      // The streams run against each other. Whoever asks instead does so because they said nothing.
      if (next === "poll" || next === "short") this.#change ??= { from: name, why: "silent" };
      this.#next();
    });
  }

  /**
   * @param {Transport} transport
   * @param {Message} message
   */
  #heard(transport, message) {
    // The server itself is leaving or full: the other transports would only be told the same.
    if (message.type === "bye") return this.#lose(message.retry_ms);
    if (message.type !== "hello") return;
    if (!this.#isLate(transport.name, message)) return this.#win(transport, message);
    this.#late.push(transport.name);
    this.#change ??= { from: transport.name, why: "lag" };
    release(transport);
    this.#leave(transport);
  }

  /**
   * @param {Transport} transport
   * @param {number} [retryMs]
   */
  #failed(transport, retryMs) {
    this.#refused.push(transport.name);
    this.#change ??= { from: transport.name, why: "refused" };
    this.#retryMs = retryMs ?? this.#retryMs;
    this.#leave(transport);
  }

  /** @param {Transport} transport */
  #leave(transport) {
    this.#running.delete(transport);
    if (this.#running.size > 0) return;
    if (this.#waiting.length > 0) this.#next();
    else this.#lose();
  }

  /**
   * @param {Transport} transport
   * @param {Message} hello
   */
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
function release(transport) {
  transport.onmessage = transport.onstate = ignore;
  transport.close();
}
