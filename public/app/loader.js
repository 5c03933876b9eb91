// @ts-check
/**
 * Requests the script and the stylesheet of the page again until they are right. The network may have lost them, cut them, or
 * replaced them: a captive portal answers every request with its own page. A browser requests each file once.
 *
 * Also sends the first poll of a live page, so that its answer is there when the script runs.
 *
 * The layout contains this script itself, because another file could get lost too. It comes first, to receive every event.
 * The build adds the marks that show that a file is complete.
 */
(() => {
  const firstPoll = document.documentElement.dataset.firstPoll;
  if (firstPoll) {
    // Not `fetch`, whose body is read in a later task: behind the first frame, in Chromium.
    const request = new XMLHttpRequest();
    request.open("GET", firstPoll);
    request.responseType = "json";
    const body = new Promise((resolve) => (request.onloadend = () => resolve(request.response ?? {})));
    request.send();
    Object.assign(window, { petStoreFirstPoll: { url: new URL(firstPoll, location.href).href, body } });
  }

  /** Doubles with each attempt, up to the limit. */
  const FIRST_WAIT_MS = 500;
  const WAIT_LIMIT_MS = 4_000;

  /** The script of a live page runs before the first frame, which takes long, unless the page would stay blank for it. */
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
    if ((!isScript && !isSheet) || (isScript ? isScriptComplete() : isComplete(element.sheet))) return;
    const attempt = (attempts.get(element) ?? 0) + 1;
    attempts.set(element, attempt);
    const waitMs = Math.min(FIRST_WAIT_MS * 2 ** (attempt - 1), WAIT_LIMIT_MS);
    setTimeout(
      () => {
        // A new URL each time, because browsers keep a failure. The server ignores the query.
        const [first] = (isScript ? element.src : element.href).split("?");
        const url = `${first}?retry=${attempt}`;
        if (isSheet) element.href = url;
        // Neither is an error that can be reported: the request fails, or what came is not the script.
        else import(url).then(check.bind(null, element), check.bind(null, element));
      },
      waitMs * (0.5 + Math.random() / 2),
    );
  }

  /** A file that was cut is a syntax error, so nothing of it runs. */
  function isScriptComplete() {
    return "petStoreScript" in window;
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
