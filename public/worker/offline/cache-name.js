// @ts-check
/** The name of what the service worker stores, as both service workers know it. */

/** Name of the cache of the site at `scope`. Another site on the same host has another one. @param {string} scope */
export const cacheName = (scope) => `pet-store ${scope}`;
