// @ts-check
/**
 * Reloads modules and stylesheets that failed to load, or that something else replaced: because the network changed, the
 * server was down, or a captive portal answered every request with its own page. A browser requests each file once, and if
 * one module is missing none runs.
 *
 * This is a classic script, so that it runs without modules. It comes before them in the page, to receive their errors.
 */
(() => {
  /** Doubles with each attempt, up to the limit. */
  const FIRST_WAIT_MS = 1000;
  const WAIT_LIMIT_MS = 60_000;

  const script = /** @type {HTMLScriptElement} */ (document.querySelector('script[type="module"]'));
  script.addEventListener("error", () => retry(1, load));
  for (const link of /** @type {NodeListOf<HTMLLinkElement>} */ (document.querySelectorAll('link[rel="stylesheet"]'))) {
    watch(link);
  }

  /** @param {number} attempt @param {(attempt: number) => void} act */
  function retry(attempt, act) {
    const waitMs = Math.min(FIRST_WAIT_MS * 2 ** (attempt - 1), WAIT_LIMIT_MS);
    setTimeout(() => act(attempt), waitMs * (0.5 + Math.random() / 2));
  }

  /**
   * Checks the stylesheet now and after each load: its error may have come before this deferred script ran.
   * @param {HTMLLinkElement} link
   */
  function watch(link) {
    const first = link.href;
    let attempt = 0;
    // Browsers also accept another document as a stylesheet, without any rules.
    const isMissing = () => !link.sheet?.cssRules.length;
    const check = () => {
      if (!isMissing()) return;
      attempt += 1;
      retry(attempt, () => isMissing() && (link.href = urlOf(first, attempt)));
    };
    link.addEventListener("load", check);
    link.addEventListener("error", check);
    check();
  }

  /** @param {number} attempt */
  async function load(attempt) {
    try {
      await import(urlOf(script.src, attempt));
    } catch (error) {
      // A failed request, or a response that is not a script, is a TypeError; a page with the type of a script is a
      // SyntaxError. Any other error of a module would be the same the next time.
      if (error instanceof TypeError || error instanceof SyntaxError) retry(attempt + 1, load);
      else throw error;
    }
  }

  /**
   * Returns a new URL for each attempt, because browsers may cache a failure. The server accepts any fingerprint, and a
   * module resolves its imports relative to its own URL.
   * @param {string} url
   * @param {number} attempt
   */
  function urlOf(url, attempt) {
    return url.replace(/\/assets\/([^/]+)\//, `/assets/$1-${attempt}/`);
  }
})();
