// @ts-check
/** Asks the server once for what a tab has missed, without waiting for more. */
import { isMessage } from "../transports/message.js";
import { liveUrl } from "../transports/url.js";

/** @typedef {import("../transports/message.js").Message} Message */

/** After this long the question was in vain. */
const ASK_TIMEOUT_MS = 5_000;

/** What moves a page on. A `bye`, or how this answer came, is nothing to a page that is live by other means. */
const HISTORY = new Set(["snapshot", "status", "pet", "gone"]);

/**
 * @param {object} parts
 * @param {typeof fetch} parts.fetch
 * @param {import("../transports/url.js").Watch} parts.watch
 * @param {import("../clock.js").Clock} parts.clock
 * @returns {(since: string, signal: AbortSignal) => Promise<Message[]>} Rejects when the server gives no answer in time.
 */
export function askingServer({ fetch, watch, clock }) {
  return async (since, signal) => {
    const abort = new AbortController();
    const cancel = clock.after(ASK_TIMEOUT_MS, () => abort.abort());
    const onabort = () => abort.abort();
    signal.addEventListener("abort", onabort, { once: true });
    try {
      const url = liveUrl(watch, "/live/poll", since, { wait: 0 });
      const options = { signal: abort.signal, cache: /** @type {const} */ ("no-store") };
      const response = await fetch(url, options);
      // A refusal, or the page of something on the way, has no messages, and fails here.
      const { messages } = await response.json();
      return messages.filter((/** @type {unknown} */ message) => isMessage(message) && HISTORY.has(message.type));
    } finally {
      cancel();
      signal.removeEventListener("abort", onabort);
    }
  };
}
