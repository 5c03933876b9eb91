// @ts-check
/** Which requests the service worker answers. */

/** The first parts of paths whose requests are never the worker's. */
export const BYPASSED = ["live", "api", "embed", "board"];

/** Paths that are neither pages nor files of pages, by their first part or by their ending, such as `.csv`. */
const NO_PAGE = new RegExp(`^(${BYPASSED.join("|")}|assets|photos|metrics|healthz|readyz)(/|$)|\\.\\w+$`);

const FILE = /^(assets|photos)\//;

/**
 * @param {Pick<Request, "method" | "mode" | "destination" | "url">} request
 * @param {string} scope  Address of the site, with a slash at its end.
 * @returns {"page" | "file" | null} Null for a request that the worker leaves to the browser.
 */
export function kindOf({ method, mode, destination, url }, scope) {
  if (method !== "GET" || !url.startsWith(scope)) return null;
  const path = new URL(url).pathname.slice(new URL(scope).pathname.length);
  // The page in a frame is for the page around it.
  if (mode === "navigate") return destination === "document" && !NO_PAGE.test(path) ? "page" : null;
  return FILE.test(path) ? "file" : null;
}
