// @ts-check
/**
 * Replaces the service worker if the server has none: deletes its cache, and unregisters itself. Browsers ask for
 * a new version of the worker with each page that they open.
 */
import { copyName } from "./offline/copy-name.js";

/** The types of service workers exclude those of pages. @type {any} */
const worker = globalThis;
const { caches, registration } = worker;

worker.addEventListener("install", () => worker.skipWaiting());
worker.addEventListener("activate", (/** @type {any} */ event) => event.waitUntil(remove()));

async function remove() {
  await caches.delete(copyName(registration.scope));
  await registration.unregister();
}
