// @ts-check
/**
 * The long poll transport: asks, waits until there is something to say, asks again from the cursor it got.
 *
 * The first question does not wait, so that polling delivers as early as the others do. One question is open
 * at a time, and any that fails ends the transport: trying again is the connection's decision.
 */
import { isMessage } from "./message.js";
import { ignore } from "./transport.js";
import { liveUrl } from "./url.js";

/** The longest the server holds a question. */
const WAIT_LIMIT_S = 25;

/** Least time between two questions: a busy store, or a cache that answers at once, must not make it a flood. */
const ASK_GAP_MS = 500;

/** @typedef {{ cursor?: unknown, messages: unknown[] }} Answer */

/** A refusal by the server, with how long it asked us to stay away. */
class Refused extends Error {
  /** @param {number | undefined} retryMs */
  constructor(retryMs) {
    super("the server refused to be polled");
    this.retryMs = retryMs;
  }
}

/** @typedef {import("./transport.js").Transport} Transport */

/** @implements {Transport} */
export class PollTransport {
  /** @type {"poll"} */
  name = "poll";
  /** @type {Transport["onmessage"]} */
  onmessage = ignore;
  /** @type {Transport["onstate"]} */
  onstate = ignore;
  /** @type {AbortController | null} */
  #abort = null;
  #waitS = 0;
  #fetch;
  #watch;
  #clock;

  /**
   * @param {object} parts
   * @param {typeof fetch} parts.fetch
   * @param {import("./url.js").Watch} parts.watch
   * @param {import("./clock.js").Clock} parts.clock
   */
  constructor({ fetch, watch, clock }) {
    this.#fetch = fetch;
    this.#watch = watch;
    this.#clock = clock;
  }

  /** @param {string} since */
  open(since) {
    this.close();
    this.#abort = new AbortController();
    this.#waitS = 0;
    this.#poll(since, this.#abort.signal);
  }

  close() {
    this.#abort?.abort();
    this.#abort = null;
  }

  /**
   * @param {string} since
   * @param {AbortSignal} signal
   */
  async #poll(since, signal) {
    for (let cursor = since; !signal.aborted; ) {
      const askedAt = this.#clock.now();
      let answer;
      try {
        answer = await this.#ask(cursor, signal);
      } catch (error) {
        if (!signal.aborted) this.#end(error instanceof Refused ? { retryMs: error.retryMs } : {});
        return;
      }
      if (signal.aborted) return;
      this.#deliver(answer, signal);
      if (typeof answer.cursor === "string") cursor = answer.cursor;
      await this.#rest(askedAt + ASK_GAP_MS - this.#clock.now(), signal);
    }
  }

  /**
   * @param {string} since
   * @param {AbortSignal} signal
   * @returns {Promise<Answer>}
   */
  async #ask(since, signal) {
    const url = liveUrl(this.#watch, "/live/poll", since, { wait: this.#waitS });
    const fetch = this.#fetch;
    const response = await fetch(url, { signal, cache: "no-store", headers: { accept: "application/json" } });
    if (!response.ok) throw new Refused(retryAfterMs(response.headers.get("retry-after")));
    const answer = await response.json();
    if (!Array.isArray(answer?.messages)) throw new TypeError("not a poll answer");
    return answer;
  }

  /**
   * @param {Answer} answer
   * @param {AbortSignal} signal  A handler may close the transport in the middle; what is left is then not ours.
   */
  #deliver(answer, signal) {
    this.onstate("open");
    for (const message of answer.messages) {
      if (signal.aborted) return;
      if (!isMessage(message)) continue;
      if (message.type === "hello") this.#waitS = waitSeconds(message.heartbeat_ms);
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
      const cancel = this.#clock.after(restMs, resolve);
      signal.addEventListener("abort", () => (cancel(), resolve()), { once: true });
    });
  }
}

/**
 * How long to let the server wait: about a heartbeat, so that silence means the same as on the other transports.
 * @param {unknown} heartbeatMs
 */
function waitSeconds(heartbeatMs) {
  const heartbeatS = typeof heartbeatMs === "number" ? Math.floor(heartbeatMs / 1000) : WAIT_LIMIT_S;
  return Math.min(WAIT_LIMIT_S, Math.max(1, heartbeatS));
}

/**
 * `Retry-After` in its form of whole seconds (RFC 9110, 10.2.3); the form with a date would need a right clock.
 * @param {string | null} header
 */
function retryAfterMs(header) {
  return header !== null && /^\s*\d+\s*$/.test(header) ? Number(header) * 1000 : undefined;
}
