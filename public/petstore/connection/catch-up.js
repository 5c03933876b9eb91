// @ts-check
/**
 * Requests the changes that a page missed, with a poll that does not wait for new ones.
 *
 * It is the first request of a page, beside the streams: it delivers what happened since the page was rendered, shows that
 * polling works, and measures the round trip. After that it fills gaps.
 */
import { withTimeout } from "../clock.js";
import { isMessage } from "../protocol/message.js";
import { liveUrl } from "../transports/url.js";
/** @import { Clock } from "../clock.js" */
/** @import { Message } from "../protocol/message.js" */
/** @import { Watch } from "../transports/url.js" */

/**
 * @typedef {object} Answer
 * @property {Message} hello
 * @property {Message[]} messages  What comes after the hello.
 * @property {number} roundTripMs
 */

/** Enough for a slow network, and less than a race takes. */
const TIMEOUT_MS = 9_000;

/**
 * @typedef {object} Options
 * @property {typeof fetch} fetch
 * @property {Watch} watch
 * @property {Clock} clock
 * @property {() => string} nonce  Returns a word that was never in a request of any page.
 * @property {string} [firstUrl]  The address of the first request, if the page preloads it.
 * @property {(url: string) => number} responseMs  Returns how long the response of an address took to come, for one that
 *   was preloaded; 0 if that is not known.
 */

export class CatchUp {
  #options;
  #firstUrl;

  /** @param {Options} options */
  constructor(options) {
    this.#options = options;
    this.#firstUrl = options.firstUrl;
  }

  /**
   * @param {string} since  The cursor of the page.
   * @param {AbortSignal} signal
   * @param {string[]} [pets]  Instead of those that it was created for.
   * @returns {Promise<Answer>} Rejects if the server does not answer, or refuses to.
   */
  run(since, signal, pets) {
    const { fetch, watch, clock, nonce, responseMs } = this.#options;
    const asked = { ...watch, pets: pets ?? watch.pets };
    const url = this.#firstUrl ?? liveUrl(asked, `/live/poll/${nonce()}`, since, { wait: 0 });
    this.#firstUrl = undefined;
    const startMs = clock.elapsed();
    return withTimeout({ clock, limitMs: TIMEOUT_MS, signal }, async (limited) => {
      // Without headers or a cache mode, which a preload does not have. The nonce keeps caches out.
      const response = await fetch(url, { signal: limited });
      const waitedMs = clock.elapsed() - startMs;
      // The body of a refusal, or of a proxy's page, has no messages and fails here.
      const { messages } = await response.json();
      /** @type {Message[]} */
      const [hello, ...rest] = messages.filter(isMessage);
      if (hello?.type !== "hello" || rest.some(({ type }) => type === "bye")) throw new TypeError("not an answer");
      return { hello, messages: rest, roundTripMs: Math.max(waitedMs, responseMs(url)) };
    });
  }
}
