// @ts-check
/** Addresses of the live routes. */

/**
 * @typedef {object} Watch
 * @property {string} origin  Of the page, e.g. `https://rescue.example`.
 * @property {string[]} pets  Ids to watch; none means every pet.
 * @property {string} [chaos]  The bad network to pretend, in the demo.
 */

/**
 * @param {Watch} watch
 * @param {string} path
 * @param {string} since  Cursor; "" leaves it out, and the server answers with a snapshot.
 * @param {Record<string, string | number>} [more]
 */
export function liveUrl(watch, path, since, more = {}) {
  const url = new URL(path, watch.origin);
  for (const [name, value] of Object.entries(more)) url.searchParams.set(name, String(value));
  if (since) url.searchParams.set("since", since);
  if (watch.chaos) url.searchParams.set("chaos", watch.chaos);
  for (const pet of watch.pets) url.searchParams.append("pet", pet);
  return url.href;
}

/**
 * The same address for a WebSocket. Older browsers refuse one that starts with `http`.
 * @param {string} url
 */
export function socketUrl(url) {
  return url.replace(/^http/, "ws");
}
