// @ts-check
/**
 * Loads the page's modules and stylesheets again when one of them got lost on the way, or something else came in its
 * place: with a network that changed under them, a server that went away, or a captive portal that answers every address
 * with its own page. A browser asks for each of them once, and without one of the modules none runs.
 *
 * A plain script, because it has to run where modules did not arrive. It comes before the modules in the page, so it
 * hears of their failure.
 */
(() => {
  /** Doubles each time, up to the longest. */
  const FIRST_WAIT_MS = 1000;
  const LONGEST_WAIT_MS = 60_000;

  const script = /** @type {HTMLScriptElement} */ (document.querySelector('script[type="module"]'));
  script.addEventListener("error", () => retry(1, load));
  for (const link of /** @type {NodeListOf<HTMLLinkElement>} */ (document.querySelectorAll('link[rel="stylesheet"]'))) {
    watch(link);
  }

  /**
   * @param {number} attempt
   * @param {(attempt: number) => void} act
   */
  function retry(attempt, act) {
    const waitMs = Math.min(FIRST_WAIT_MS * 2 ** (attempt - 1), LONGEST_WAIT_MS);
    setTimeout(() => act(attempt), waitMs * (0.5 + Math.random() / 2));
  }

  /**
   * Its error may have come before this script ran, which deferred scripts do once the stylesheets before them are done.
   * @param {HTMLLinkElement} link
   */
  function watch(link) {
    const first = link.href;
    let attempt = 0;
    // What came in place of a stylesheet may still be one to the browser, without a rule.
    const isMissing = () => !link.sheet?.cssRules.length;
    const check = () => {
      if (!isMissing()) return;
      attempt += 1;
      retry(attempt, () => isMissing() && (link.href = addressOf(first, attempt)));
    };
    link.addEventListener("load", check);
    link.addEventListener("error", check);
    check();
  }

  /** @param {number} attempt */
  async function load(attempt) {
    try {
      await import(addressOf(script.src, attempt));
    } catch (error) {
      // A fetch that failed, or brought no script, is a TypeError; a page that calls itself a script, a SyntaxError.
      // Whatever else is wrong with a module is the same the next time.
      if (error instanceof TypeError || error instanceof SyntaxError) retry(attempt + 1, load);
      else throw error;
    }
  }

  /**
   * Browsers may remember that an address failed. The server gives the files under any fingerprint, so each attempt
   * has addresses of its own, and each module finds its neighbours there.
   * @param {string} address
   * @param {number} attempt
   */
  function addressOf(address, attempt) {
    return address.replace(/\/assets\/([^/]+)\//, `/assets/$1-${attempt}/`);
  }
})();
