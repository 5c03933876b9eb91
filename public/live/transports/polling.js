// @ts-check
/**
 * The loop that long and short polling share: send a request, deliver its messages, pause, repeat.
 *
 * One request is open at a time. Any failure ends the transport; the connection decides about a retry.
 */
import { isMessage } from "./message.js";
import { noop } from "./transport.js";
/** @import { Clock } from "../clock.js" */
/** @import { CloseInfo, Switch, Transport } from "./transport.js" */

/** The server refused the request, and may have said how long to stay away. */
class RefusedError extends Error {
  /** @param {number | undefined} retryMs */
  constructor(retryMs) {
    super("the server refused the request");
    this.retryMs = retryMs;
  }
}

export const NOT_MODIFIED = 304;

export class PollingTransport {
  /** @type {Transport["onmessage"]} */
  onmessage = noop;
  /** @type {Transport["onstate"]} */
  onstate = noop;
  roundTripMs = 0;
  /** @type {AbortController | null} */
  #abort = null;
  #fetch;
  #clock;

  /**
   * @param {object} options
   * @param {typeof fetch} options.fetch
   * @param {Clock} options.clock
   */
  constructor({ fetch, clock }) {
    this.#fetch = fetch;
    this.#clock = clock;
  }

  /** @param {string} since @param {Switch} [cause] */
  open(since, cause) {
    this.close();
    this.begin(since, cause);
    this.#abort = new AbortController();
    this.#run(this.#abort.signal);
  }

  close() {
    this.#abort?.abort();
    this.#abort = null;
  }

  /**
   * Prepares the first request.
   * @param {string} _since
   * @param {Switch} [_cause]
   */
  begin(_since, _cause) {}

  /** @returns {{ url: string, headers?: Record<string, string> }} */
  nextRequest() {
    throw new TypeError("nextRequest is abstract");
  }

  /**
   * @param {Response} _response  Its status is 2xx, or 304 if the request had `If-None-Match`.
   * @returns {Promise<unknown[]>} Its messages. Rejects if the response is not the server's, e.g. a login page.
   */
  async read(_response) {
    throw new TypeError("read is abstract");
  }

  /** Minimum time from one request to the next, in ms. */
  get gapMs() {
    return 0;
  }

  /** @param {AbortSignal} signal */
  async #run(signal) {
    while (!signal.aborted) {
      const startMs = this.#clock.elapsed();
      let messages;
      try {
        messages = await this.#request(signal);
      } catch (error) {
        if (!signal.aborted) this.#end(error instanceof RefusedError ? { retryMs: error.retryMs } : {});
        return;
      }
      if (signal.aborted) return;
      this.roundTripMs = this.#clock.elapsed() - startMs;
      this.#deliver(messages, signal);
      await this.#pause(startMs + this.gapMs - this.#clock.elapsed(), signal);
    }
  }

  /** @param {AbortSignal} signal */
  async #request(signal) {
    const { url, headers } = this.nextRequest();
    const fetch = this.#fetch;
    const response = await fetch(url, { signal, cache: "no-store", headers: { accept: "application/json", ...headers } });
    if (!response.ok && response.status !== NOT_MODIFIED) {
      throw new RefusedError(retryAfterMs(response.headers.get("retry-after")));
    }
    return this.read(response);
  }

  /**
   * @param {unknown[]} messages
   * @param {AbortSignal} signal  A handler may close the transport; the remaining messages are then dropped.
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

  /** @param {CloseInfo} info */
  #end(info) {
    this.close();
    this.onstate("closed", info);
  }

  /**
   * @param {number} pauseMs
   * @param {AbortSignal} signal
   * @returns {Promise<void>}
   */
  #pause(pauseMs, signal) {
    if (pauseMs <= 0 || signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const onabort = () => (cancel(), resolve());
      // The signal outlives the pause, so the listener is removed.
      const cancel = this.#clock.after(pauseMs, () => (signal.removeEventListener("abort", onabort), resolve()));
      signal.addEventListener("abort", onabort, { once: true });
    });
  }
}

/**
 * Parses `Retry-After` in whole seconds (RFC 9110, 10.2.3). The form with a date needs a correct local clock.
 * @param {string | null} header
 */
function retryAfterMs(header) {
  return header !== null && /^\s*\d+\s*$/.test(header) ? Number(header) * 1000 : undefined;
}
