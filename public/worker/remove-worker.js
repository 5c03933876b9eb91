// @ts-check
/**
 * Replaces the service worker if the server has none: unregisters itself, and deletes its cache. Browsers ask for
 * a new version of the worker about a second after each page that they open.
 *
 * It does not wait for its activation, which Chromium puts off if another page is being opened at that moment.
 */
import { cacheName } from "./offline/cache-name.js";

/** The types of service workers exclude those of pages. @type {any} */
const worker = globalThis;
const { caches, registration } = worker;

worker.addEventListener("install", (/** @type {any} */ event) => {
  worker.skipWaiting();
  // Not awaited: it happens after the installation.
  registration.unregister();
  event.waitUntil(deleteCache());
});

// The worker before may have stored something meanwhile.
worker.addEventListener("activate", (/** @type {any} */ event) => event.waitUntil(deleteCache()));

function deleteCache() {
  return caches.delete(cacheName(registration.scope));
}
