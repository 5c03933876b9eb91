// @ts-check
/**
 * The loop that long and short polling share: send a request, deliver its messages, pause, repeat.
 *
 * One request is open at a time. Any failure ends the transport; the connection decides about a retry.
 */
import { delay } from "../clock.js";
import { isMessage } from "../protocol/message.js";
import { noop } from "./transport.js";
import { liveUrl } from "./url.js";
/** @import { Clock } from "../clock.js" */
/** @import { CloseInfo, Switch, Transport } from "./transport.js" */
/** @import { Watch } from "./url.js" */

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
  /** The cursor of the next request. */
  cursor = "";
  /** @type {Switch | undefined} Sent with the first request. */
  #cause;
  /** @type {AbortController | null} */
  #abort = null;
  #fetch;
  #watch;
  #clock;

  /** @param {{ fetch: typeof fetch, watch: Watch, clock: Clock }} options */
  constructor({ fetch, watch, clock }) {
    this.#fetch = fetch;
    this.#watch = watch;
    this.#clock = clock;
  }

  /** @param {string} since @param {Switch} [cause] */
  open(since, cause) {
    this.close();
    this.cursor = since;
    this.#cause = cause;
    this.begin();
    this.#abort = new AbortController();
    this.#run(this.#abort.signal);
  }

  close() {
    this.#abort?.abort();
    this.#abort = null;
  }

  /** Prepares the first request. */
  begin() {}

  /** @returns {{ path: string, params: Record<string, string | number>, headers?: Record<string, string> }} */
  nextRequest() {
    throw new TypeError("nextRequest is abstract");
  }

  /**
   * Advances the cursor.
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
      await delay({ clock: this.#clock, signal }, startMs + this.gapMs - this.#clock.elapsed());
    }
  }

  /** @param {AbortSignal} signal */
  async #request(signal) {
    const { path, params, headers } = this.nextRequest();
    const url = liveUrl(this.#watch, path, this.cursor, { ...params, ...this.#cause });
    this.#cause = undefined;
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
}

/**
 * Parses `Retry-After` in whole seconds (RFC 9110, 10.2.3). The form with a date needs a correct local clock.
 * @param {string | null} header
 */
function retryAfterMs(header) {
  return header !== null && /^\s*\d+\s*$/.test(header) ? Number(header) * 1000 : undefined;
}
