// @ts-check
/**
 * Loads the page's modules once more when one of them got lost on the way: with a network that changed under them, or
 * a server that went away. A browser asks for each of them once, and without one of them none runs.
 *
 * A plain script, because it has to run where modules did not arrive. It comes before the modules in the page, so it
 * hears of their failure.
 */
(() => {
  /** Doubles each time, up to the longest. */
  const FIRST_WAIT_MS = 1000;
  const LONGEST_WAIT_MS = 60_000;

  const script = /** @type {HTMLScriptElement} */ (document.querySelector('script[type="module"]'));
  script.addEventListener("error", () => retry(1));

  /** @param {number} attempt */
  function retry(attempt) {
    const waitMs = Math.min(FIRST_WAIT_MS * 2 ** (attempt - 1), LONGEST_WAIT_MS);
    setTimeout(() => load(attempt), waitMs * (0.5 + Math.random() / 2));
  }

  /** @param {number} attempt */
  async function load(attempt) {
    try {
      await import(addressOf(attempt));
    } catch (error) {
      // Whatever else is wrong with a module is the same the next time. A fetch that failed is a TypeError.
      if (error instanceof TypeError) retry(attempt + 1);
      else throw error;
    }
  }

  /**
   * Browsers may remember that an address failed. The server gives the files under any fingerprint, so each attempt
   * has addresses of its own, and each module finds its neighbours there.
   * @param {number} attempt
   */
  function addressOf(attempt) {
    return script.src.replace(/\/assets\/([^/]+)\//, `/assets/$1-${attempt}/`);
  }
})();
