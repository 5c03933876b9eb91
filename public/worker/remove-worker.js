// @ts-check
/**
 * Replaces the service worker if the server has none: deletes its cache, and unregisters itself. Browsers ask for
 * a new version of the worker about a second after each page that they open. Chromium replaces the old worker at once, or, if
 * another page is being opened at that moment, with the page after that.
 */
import { cacheName } from "./offline/cache-name.js";

/** The types of service workers exclude those of pages. @type {any} */
const worker = globalThis;
const { caches, registration } = worker;

worker.addEventListener("install", () => worker.skipWaiting());
worker.addEventListener("activate", (/** @type {any} */ event) => event.waitUntil(remove()));

async function remove() {
  await caches.delete(cacheName(registration.scope));
  await registration.unregister();
}
