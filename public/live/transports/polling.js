// @ts-check
/**
 * What long poll and short poll share: ask, pass the answer on, rest, ask again.
 *
 * One question is open at a time, and any that fails ends the transport: trying again is the connection's decision.
 */
import { isMessage } from "./message.js";
import { ignore } from "./transport.js";

/** @typedef {import("./transport.js").Transport} Transport */
/** @typedef {import("./transport.js").Change} Change */
/** @typedef {{ url: string, headers?: Record<string, string> }} Question */

/** A refusal by the server, with how long it asked us to stay away. */
class Refused extends Error {
  /** @param {number | undefined} retryMs */
  constructor(retryMs) {
    super("the server refused to answer");
    this.retryMs = retryMs;
  }
}

const NOT_MODIFIED = 304;

export class Asking {
  /** @type {Transport["onmessage"]} */
  onmessage = ignore;
  /** @type {Transport["onstate"]} */
  onstate = ignore;
  roundTripMs = 0;
  /** @type {AbortController | null} */
  #abort = null;
  #fetch;
  #clock;

  /**
   * @param {object} parts
   * @param {typeof fetch} parts.fetch
   * @param {import("../clock.js").Clock} parts.clock
   */
  constructor({ fetch, clock }) {
    this.#fetch = fetch;
    this.#clock = clock;
  }

  /**
   * @param {string} since
   * @param {Change} [change]
   */
  open(since, change) {
    this.close();
    this.begin(since, change);
    this.#abort = new AbortController();
    this.#run(this.#abort.signal);
  }

  close() {
    this.#abort?.abort();
    this.#abort = null;
  }

  /**
   * Called before the first question.
   * @param {string} _since
   * @param {Change} [_change]
   */
  begin(_since, _change) {}

  /** @returns {Question} */
  question() {
    throw new TypeError("what to ask is the transport's own");
  }

  /**
   * @param {Response} _response  200, or 304 if the question had `If-None-Match`.
   * @returns {Promise<unknown[]>} Its messages. Fails for what is no answer of ours, e.g. a portal's page.
   */
  async read(_response) {
    throw new TypeError("what is answered is the transport's own");
  }

  /** Least time between two questions, in ms. */
  get gapMs() {
    return 0;
  }

  /** @param {AbortSignal} signal */
  async #run(signal) {
    while (!signal.aborted) {
      const askedMs = this.#clock.elapsed();
      let messages;
      try {
        messages = await this.#ask(signal);
      } catch (error) {
        if (!signal.aborted) this.#end(error instanceof Refused ? { retryMs: error.retryMs } : {});
        return;
      }
      if (signal.aborted) return;
      this.roundTripMs = this.#clock.elapsed() - askedMs;
      this.#deliver(messages, signal);
      await this.#rest(askedMs + this.gapMs - this.#clock.elapsed(), signal);
    }
  }

  /** @param {AbortSignal} signal */
  async #ask(signal) {
    const { url, headers } = this.question();
    const fetch = this.#fetch;
    const response = await fetch(url, { signal, cache: "no-store", headers: { accept: "application/json", ...headers } });
    if (!response.ok && response.status !== NOT_MODIFIED) {
      throw new Refused(retryAfterMs(response.headers.get("retry-after")));
    }
    return this.read(response);
  }

  /**
   * @param {unknown[]} messages
   * @param {AbortSignal} signal  A handler may close the transport in the middle; what is left is then not ours.
   */
  #deliver(messages, signal) {
    this.onstate("open");
    for (const message of messages) {
      if (signal.aborted) return;
      if (!isMessage(message)) continue;
      this.onmessage(message);
      if (message.type === "bye" && !signal.aborted) return this.#end({ retryMs: message.retry_ms });
    }
  }

  /** @param {import("./transport.js").Ending} ending */
  #end(ending) {
    this.close();
    this.onstate("closed", ending);
  }

  /**
   * @param {number} restMs
   * @param {AbortSignal} signal
   * @returns {Promise<void>}
   */
  #rest(restMs, signal) {
    if (restMs <= 0 || signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const onabort = () => (cancel(), resolve());
      // The signal lives for as long as the transport, through any number of rests: each takes its listener back.
      const cancel = this.#clock.after(restMs, () => (signal.removeEventListener("abort", onabort), resolve()));
      signal.addEventListener("abort", onabort, { once: true });
    });
  }
}

/**
 * `Retry-After` in its form of whole seconds (RFC 9110, 10.2.3); the form with a date would need a right clock.
 * @param {string | null} header
 */
function retryAfterMs(header) {
  return header !== null && /^\s*\d+\s*$/.test(header) ? Number(header) * 1000 : undefined;
}
