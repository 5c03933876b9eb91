// @ts-check
/**
 * Installs the service worker (public/worker), and tells it what the board shows, so that it can show the same without a
 * network. Pages import this module after they have loaded (public/app/loader.js), so that nothing waits for it.
 *
 * On a page that the worker shows, it draws the newest state that the board had.
 */

const worker = new URL("../../service-worker.js", import.meta.url).href;

/** The longest that a busy page is waited for. */
const IDLE_LIMIT_MS = 5_000;

/** Shortest time between two states that are stored. */
const SAVE_GAP_MS = 10_000;

const { body } = document;
const { page, seen, part } = body.dataset;
/** The page is for this browser alone. What the worker keeps is for everyone. */
const isPersonal = "personal" in document.documentElement.dataset;
/** The watch of the page (public/app/page/live.js). @type {any} */
const live = /** @type {any} */ (globalThis).petStoreWatch;
/** Shown by the worker. */
const isFromCache = seen !== undefined;

if (isFromCache) drawSeen();
if (navigator.serviceWorker) whenIdle(() => install(navigator.serviceWorker).catch(() => {}));

/** @param {() => void} run */
function whenIdle(run) {
  // Safari has no idle callbacks.
  if ("requestIdleCallback" in globalThis) requestIdleCallback(run, { timeout: IDLE_LIMIT_MS });
  else setTimeout(run, IDLE_LIMIT_MS / 2);
}

/** @param {ServiceWorkerContainer} container */
async function install(container) {
  await container.register(trusted(worker), { updateViaCache: "none" });
  const registration = await container.ready;
  const post = (/** @type {object} */ message) => registration.active?.postMessage(message);
  const isBoard = page === "index" && location.search === "";
  if (!isBoard) return isFromCache || post({});
  if (!isFromCache) post({ board: { fromCache: !isPersonal, photos: shownPhotos() } });
  // A page with a part of the pets does not have the others.
  if (!isPersonal && part === undefined) saveSeen(post);
}

/** Lets the worker have this address, and no other (Trusted Types). @param {string} address @returns {string} */
function trusted(address) {
  const { trustedTypes } = /** @type {any} */ (globalThis);
  const createScriptURL = (/** @type {string} */ url) => {
    if (url !== worker) throw new TypeError(url);
    return url;
  };
  return trustedTypes?.createPolicy("service-worker", { createScriptURL }).createScriptURL(address) ?? address;
}

/** The photos that have arrived, by the addresses that the browser has chosen. */
function shownPhotos() {
  const photos = [...document.images].filter((image) => image.complete && image.naturalWidth > 0);
  return photos.map(({ currentSrc }) => currentSrc);
}

/** Stores what the board shows: after changes, when it loses its connection, and when it is left. @param {(message: object) => void} post */
function saveSeen(post) {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let waiting;
  let savedAt = -Infinity;
  const save = () => {
    clearTimeout(waiting);
    waiting = undefined;
    savedAt = performance.now();
    const { cursor, board, connection } = live;
    post({ seen: { cursor, asOf: new Date(connection.asOf).toISOString(), pets: [...board] } });
  };
  live?.addEventListener("change", () => {
    waiting ??= setTimeout(save, savedAt + SAVE_GAP_MS - performance.now());
  });
  live?.addEventListener("connection", (/** @type {CustomEvent} */ { detail }) => detail.state === "offline" && save());
  document.addEventListener("visibilitychange", () => document.hidden && live && save());
}

/** Draws the state that the worker has put into the page, unless a message of the server has come before. */
function drawSeen() {
  const text = document.querySelector("#seen")?.textContent;
  if (!text || live?.cursor !== body.dataset.cursor) return;
  const changes = live.board.apply({ type: "snapshot", ...JSON.parse(text) });
  live.dispatchEvent(new CustomEvent("change", { detail: changes }));
}
