// @ts-check
/**
 * Requests the scripts and stylesheets of the page again until they are complete. The network may have lost, cut or
 * replaced them: a captive portal answers every request with its own page. A browser requests each file only once.
 *
 * Also sends the first poll of a live page, so that the answer has arrived when the script runs. The preload of the layout may
 * have sent that request already; the browser then uses the same response.
 *
 * After the page has loaded, imports the module that installs the service worker (`data-worker`).
 *
 * The layout contains this script inline, because a separate file could get lost too. It is the first script, to receive every
 * event.
 * The build adds the marks that show that a file is complete.
 */
(() => {
  const { firstPoll, worker } = document.documentElement.dataset;
  if (firstPoll) {
    // Not `fetch`: it reads the body in a later task, which Chromium runs after the first frame.
    const request = new XMLHttpRequest();
    request.open("GET", firstPoll);
    request.responseType = "json";
    const body = new Promise((resolve) => (request.onloadend = () => resolve(request.response ?? {})));
    request.send();
    Object.assign(window, { petStoreFirstPoll: { url: new URL(firstPoll, location.href).href, body } });
  }

  // Without it, only an offline board is missing.
  if (worker) window.addEventListener("load", () => import(worker).catch(() => {}));

  /** Doubles with each attempt, up to the limit. */
  const FIRST_WAIT_MS = 500;
  const WAIT_LIMIT_MS = 4_000;

  /** The longest that a live page delays its first frame, which takes long to draw, until its script has run. */
  const FIRST_FRAME_LIMIT_MS = 200;

  /** After this time a file that is still loading is requested again as well. */
  const STALLED_MS = 20_000;

  /** @type {Map<EventTarget, number>} Attempts by element. */
  const attempts = new Map();

  const events = /** @type {const} */ (["load", "error"]);
  // Events of elements do not bubble.
  for (const event of events) document.addEventListener(event, ({ target }) => target && check(target), true);
  setTimeout(() => document.querySelector("head > script[blocking]")?.removeAttribute("blocking"), FIRST_FRAME_LIMIT_MS);
  setTimeout(() => document.querySelectorAll("head > script[src], link[rel=stylesheet]").forEach(check), STALLED_MS);

  /** @param {EventTarget} element */
  function check(element) {
    const isScript = element instanceof HTMLScriptElement;
    const isSheet = element instanceof HTMLLinkElement && element.rel === "stylesheet";
    if ((!isScript && !isSheet) || (isScript ? isScriptComplete(element.src) : isComplete(element.sheet))) return;
    const attempt = (attempts.get(element) ?? 0) + 1;
    attempts.set(element, attempt);
    const waitMs = Math.min(FIRST_WAIT_MS * 2 ** (attempt - 1), WAIT_LIMIT_MS);
    setTimeout(
      () => {
        // A new URL each time, because browsers keep a failure. The server ignores the query.
        const [first] = (isScript ? element.src : element.href).split("?");
        const url = `${first}?retry=${attempt}`;
        if (isSheet) element.href = url;
        // Checks either way: the import fails, or succeeds with another file than the script.
        else import(url).then(check.bind(null, element), check.bind(null, element));
      },
      waitMs * (0.5 + Math.random() / 2),
    );
  }

  /**
   * A file that was cut is a syntax error, so nothing of it runs.
   * @param {string} url  Ends with the name of the file.
   */
  function isScriptComplete(url) {
    const [, name] = /(\w+)\.js/.exec(url) ?? [];
    return `petStoreScript_${name}` in window;
  }

  /** @param {CSSStyleSheet | null} sheet */
  function isComplete(sheet) {
    try {
      const last = sheet?.cssRules[sheet.cssRules.length - 1];
      return last instanceof CSSStyleRule && last.selectorText === "#complete";
    } catch {
      // Chromium does not show the rules of a stylesheet that was lost.
      return false;
    }
  }
})();
