// @ts-check
/** Where this site is. Its addresses start with a path if the server shares its origin with other programs. */

/** Returns the path before every path of the server; "" without one. */
export function basePath() {
  return /** @type {string} */ (document.body.dataset.base);
}

/** Returns the address of the site, without a slash at its end. */
export function siteAddress() {
  return location.origin + basePath();
}
