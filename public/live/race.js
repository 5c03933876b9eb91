// @ts-check
/**
 * Finds the transport that works here and now: they start one after the other, each with a short head start,
 * and the first that delivers `hello` wins. The others are closed.
 *
 * That a transport opened proves nothing: proxies open streams that they hold back, and sockets whose frames
 * they eat. Only a message that came through counts.
 */
import { ignore } from "./transport.js";

/** @typedef {import("./transport.js").Transport} Transport */
/** @typedef {import("./message.js").Message} Message */

/** How long each transport has before the next starts beside it: long enough for a good network, short for a person. */
const HEAD_START_MS = [250, 1750];

/** After this long without any `hello`, nobody has won. */
export const CONNECT_TIMEOUT_MS = 10_000;

export class Race {
  #clock;
  #waiting;
  #since;
  #onwin;
  #onlose;
  /** @type {Set<Transport>} */
  #running = new Set();
  #started = 0;
  #cancelNext = ignore;
  #cancelTimeout = ignore;
  /** @type {number | undefined} */
  #retryMs;

  /**
   * @param {object} parts
   * @param {import("./clock.js").Clock} parts.clock
   * @param {Transport[]} parts.transports  In the order in which they start.
   * @param {string} parts.since
   * @param {(winner: Transport, hello: Message) => void} parts.onwin  The winner's handlers are then the caller's.
   * @param {(retryMs?: number) => void} parts.onlose  With the time the server asked for, if it did.
   */
  constructor({ clock, transports, since, onwin, onlose }) {
    this.#clock = clock;
    this.#waiting = [...transports];
    this.#since = since;
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
    const headStartMs = HEAD_START_MS[this.#started] ?? 0;
    this.#started += 1;
    this.#running.add(transport);
    // Before opening: one that fails at once starts the next at once, and takes this timer back.
    if (this.#waiting.length > 0) this.#cancelNext = this.#clock.after(headStartMs, () => this.#next());
    transport.onmessage = (message) => this.#heard(transport, message);
    transport.onstate = (state, ending) => state === "closed" && this.#failed(transport, ending?.retryMs);
    transport.open(this.#since);
  }

  /**
   * @param {Transport} transport
   * @param {Message} message
   */
  #heard(transport, message) {
    if (message.type === "hello") this.#win(transport, message);
    // The server itself is leaving or full: the other transports would only be told the same.
    else if (message.type === "bye") this.#lose(message.retry_ms);
  }

  /**
   * @param {Transport} transport
   * @param {number | undefined} retryMs
   */
  #failed(transport, retryMs) {
    this.#running.delete(transport);
    this.#retryMs = retryMs ?? this.#retryMs;
    if (this.#running.size > 0) return;
    if (this.#waiting.length > 0) this.#next();
    else this.#lose();
  }

  /**
   * @param {Transport} winner
   * @param {Message} hello
   */
  #win(winner, hello) {
    this.#running.delete(winner);
    this.stop();
    this.#onwin(winner, hello);
  }

  #lose(retryMs = this.#retryMs) {
    this.stop();
    this.#onlose(retryMs);
  }
}

/** @param {Transport} transport */
function release(transport) {
  transport.onmessage = transport.onstate = ignore;
  transport.close();
}
