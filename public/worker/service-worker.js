// @ts-check
/**
 * The service worker of visitors and staff: without a network it shows the last board, and a page that says so.
 *
 * It answers only requests for pages, from the network whenever there is one, and for files that the board needs. Every other
 * request is the browser's own, as if there were no worker: live routes, the API, frames, the screen in the lobby, and whatever
 * is sent. What it stores is what everyone may read: see `offline/offline-cache.js`.
 *
 * A new version takes over immediately (`skipWaiting`): no page needs the version that it began with. It does not claim pages
 * that are open: they work without it, and a claimed page would leave the back/forward cache.
 */
import { browserClock } from "../petstore/clock.js";
import { OfflineCache } from "./offline/offline-cache.js";
import { kindOf, BYPASSED } from "./offline/requests.js";

/** The types of service workers exclude those of pages. @type {any} */
const worker = globalThis;
const { caches, registration } = worker;
const { scope } = registration;

const offlineCache = new OfflineCache({ caches, scope, clock: browserClock, fetch: (...args) => fetch(...args), digest });

/** @param {BufferSource} bytes */
function digest(bytes) {
  return crypto.subtle.digest("SHA-256", bytes);
}

worker.addEventListener("install", (/** @type {any} */ event) => {
  worker.skipWaiting();
  // Where the browser can, it does not even start the worker for these requests.
  const { pathname } = new URL(scope);
  const conditions = BYPASSED.map((name) => ({ urlPattern: { pathname: `${pathname}${name}{/*}?` } }));
  const routes = conditions.map((condition) => ({ condition, source: "network" }));
  event.waitUntil(event.addRoutes?.(routes).catch(() => {}));
});

worker.addEventListener("activate", (/** @type {any} */ event) => {
  // The request for a page does not wait until the worker has started.
  event.waitUntil(registration.navigationPreload?.enable());
});

worker.addEventListener("message", (/** @type {any} */ event) => event.waitUntil(offlineCache.update(event.data)));

worker.addEventListener("fetch", (/** @type {any} */ event) => {
  const kind = kindOf(event.request, scope);
  if (kind === "page") event.respondWith(showPage(event));
  if (kind === "file") event.respondWith(showFile(event.request));
});

/** @param {{ request: Request, preloadResponse: Promise<Response | undefined> }} event */
async function showPage({ request, preloadResponse }) {
  try {
    return (await preloadResponse) ?? (await fetch(request));
  } catch (failure) {
    // Also if the storage is forbidden or damaged.
    const page = await offlineCache.page(request.url).catch(() => undefined);
    if (page) return page;
    throw failure;
  }
}

/** @param {Request} request */
async function showFile(request) {
  return (await offlineCache.file(request.url).catch(() => undefined)) ?? fetch(request);
}
