// @ts-check
/**
 * Tells a server that is down from a network that blocks a transport: the first says nothing about the rungs.
 */

/** Well within this, a server that is up answers a question that needs no work. */
const ANSWER_LIMIT_MS = 2_000;

/** From here on an answer is about the server, also when a proxy gives it: it is down, or about to be. */
const SERVER_ERROR = 500;

export class Health {
  #fetch;
  #url;
  #clock;

  /**
   * @param {object} parts
   * @param {typeof fetch} parts.fetch
   * @param {string} parts.origin
   * @param {import("../clock.js").Clock} parts.clock
   */
  constructor({ fetch, origin, clock }) {
    this.#fetch = fetch;
    this.#url = new URL("/healthz", origin).href;
    this.#clock = clock;
  }

  /**
   * @param {(isUp: boolean) => void} act  Called once, not before `ask` has returned.
   * @returns {() => void} Cancels it.
   */
  ask(act) {
    const abort = new AbortController();
    const cancelLimit = this.#clock.after(ANSWER_LIMIT_MS, () => answer(false));
    const cancel = () => {
      cancelLimit();
      abort.abort();
    };
    const answer = (/** @type {boolean} */ isUp) => {
      if (abort.signal.aborted) return;
      cancel();
      act(isUp);
    };
    const fetch = this.#fetch;
    fetch(this.#url, { signal: abort.signal, cache: "no-store" }).then(
      ({ status }) => answer(status < SERVER_ERROR),
      () => answer(false),
    );
    return cancel;
  }
}
