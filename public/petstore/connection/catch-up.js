// @ts-check
/**
 * Requests the changes that a page missed, with a poll that the server answers immediately.
 *
 * The first catch-up of a page starts together with the streams: it delivers what happened since the page was rendered,
 * shows that polling works, and measures the round trip. Later ones fill gaps. Our own pages send the first one before this
 * library is loaded, and let the server hold that request for a moment: see `FirstPoll`.
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
 * @property {Message[]} messages  The messages after the hello.
 * @property {number} roundTripMs
 */

/**
 * A poll that the page sends before this library is loaded.
 * @typedef {object} FirstPoll
 * @property {string} url  Absolute.
 * @property {Promise<any>} body  Of the response, parsed; an object without messages if the request failed.
 */

/** Enough for a slow network, and less than a race takes. */
const TIMEOUT_MS = 9_000;

/**
 * @typedef {object} Options
 * @property {typeof fetch} fetch
 * @property {Watch} watch
 * @property {Clock} clock
 * @property {() => string} nonce  Returns a word that was never in a request of any page.
 * @property {FirstPoll} [firstPoll]  The first request, if the page has sent it already.
 * @property {(url: string) => number} responseMs  Returns the time from an earlier request of this URL to its response; 0 if
 *   that is not known.
 */

export class CatchUp {
  #options;
  #firstPoll;

  /** @param {Options} options */
  constructor(options) {
    this.#options = options;
    this.#firstPoll = options.firstPoll;
  }

  /**
   * @param {string} since  The cursor of the page.
   * @param {AbortSignal} signal
   * @param {string[]} [pets]  Default: the pets of `watch`.
   * @returns {Promise<Answer>} Rejects if the server does not answer, or refuses the request.
   */
  run(since, signal, pets) {
    const { fetch, watch, clock, nonce, responseMs } = this.#options;
    const asked = { ...watch, pets: pets ?? watch.pets };
    const first = this.#firstPoll;
    this.#firstPoll = undefined;
    const url = first?.url ?? liveUrl(asked, `/live/poll/${nonce()}`, since, { wait: 0 });
    const startMs = clock.elapsed();
    return withTimeout({ clock, limitMs: TIMEOUT_MS, signal }, async (limited) => {
      // The nonce keeps caches out. From another origin, any header would need a preflight.
      const body = first ? await unlessAborted(first.body, limited) : (await fetch(url, { signal: limited })).json();
      const waitedMs = clock.elapsed() - startMs;
      // The body of a refusal, or of a proxy's page, has no messages and fails here.
      const { messages } = await body;
      /** @type {Message[]} */
      const [hello, ...rest] = messages.filter(isMessage);
      if (hello?.type !== "hello" || rest.some(({ type }) => type === "bye")) throw {};
      // Without a change, the server held the request for its whole `wait`.
      const isHeld = rest.every(({ type }) => type === "heartbeat");
      const heldMs = isHeld ? Number(new URL(url).searchParams.get("wait")) * 1000 : 0;
      const roundTripMs = Math.max(0, waitedMs, responseMs(url) - heldMs);
      return { hello, messages: rest, roundTripMs };
    });
  }
}

/**
 * Rejects when `signal` aborts, if `promise` has not settled by then.
 * @template T
 * @param {Promise<T>} promise
 * @param {AbortSignal} signal
 * @returns {Promise<T>}
 */
function unlessAborted(promise, signal) {
  return new Promise((resolve, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason));
    promise.then(resolve, reject);
  });
}
