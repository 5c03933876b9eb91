// @ts-check
/** Distinguishes a server that is down from a network that blocks a transport. */

/** @import { Clock } from "../clock.js" */

/** A healthy server answers within this time, also on a network on which each response is seconds late. */
const TIMEOUT_MS = 5_000;

/** From this status on the server is unhealthy, also if a proxy answers for it. */
const SERVER_ERROR = 500;

export class HealthCheck {
  #fetch;
  #url;
  #clock;

  /** @param {{ fetch: typeof fetch, site: string, clock: Clock }} options */
  constructor({ fetch, site, clock }) {
    this.#fetch = fetch;
    this.#url = `${site}/healthz`;
    this.#clock = clock;
  }

  /**
   * @param {(isUp: boolean) => void} onresult  Called once, and not before `check` has returned.
   * @returns {() => void} Cancels the check.
   */
  check(onresult) {
    const abort = new AbortController();
    const cancelTimeout = this.#clock.after(TIMEOUT_MS, () => finish(false));
    const cancel = () => {
      cancelTimeout();
      abort.abort();
    };
    const finish = (/** @type {boolean} */ isUp) => {
      if (abort.signal.aborted) return;
      cancel();
      onresult(isUp);
    };
    const fetch = this.#fetch;
    fetch(this.#url, { signal: abort.signal, cache: "no-store" }).then(
      ({ status }) => finish(status < SERVER_ERROR),
      () => finish(false),
    );
    return cancel;
  }
}
