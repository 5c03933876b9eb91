// @ts-check
/** The HTML of a page of ours, as text: what it needs and when it was true. A worker has no parser. */

const AS_OF = / data-as-of="([^"]*)"/;

/** What sends the first poll. Without a network, a page connects by itself, again and again. */
const FIRST_POLL = / data-first-poll="[^"]*"|<link rel="preload" as="fetch"[^>]*>/g;

/** Scripts, images and stylesheets. */
const ADDRESSES = / (?:src|data-worker|rel="stylesheet" href)="([^"]+)"/g;

/** The newest state of a board that a page has shown: its cursor, when it was true (RFC 3339), and the pets. @typedef {{ cursor: string, asOf: string, pets: object[] }} SeenBoard */

/** Returns when the page was true, in milliseconds since 1970; NaN for a page that does not say. @param {string} html */
export const asOfMs = (html) => Date.parse(AS_OF.exec(html)?.[1] ?? "");

/** Returns the addresses of the files that a page needs, in `folder`. @param {string} html @param {string} folder */
export function filesOf(html, folder) {
  const addresses = [...html.matchAll(ADDRESSES)].map(([, text]) => new URL(unescapeHtml(text), folder).href);
  return addresses.filter((address) => address.startsWith(folder));
}

/** Returns the value of a data attribute of the body, e.g. `clock`; undefined if it has none. @param {string} html @param {string} name */
export function bodyData(html, name) {
  const body = html.slice(html.indexOf("<body"));
  const [, text] = new RegExp(` data-${name}="([^"]*)"`).exec(body.slice(0, body.indexOf(">"))) ?? [];
  return text && unescapeHtml(text);
}

/**
 * Returns a board for a reader without a network. Its script then shows that it is offline, and since when (public/app/page/live.js).
 * @param {string} html
 * @param {SeenBoard} [seen]  What the page has shown, which its script draws if it is newer (public/app/on-demand/install-worker.js).
 * @returns {{ html: string, asOf: number }} With the time at which the board was true, in milliseconds since 1970.
 */
export function boardOf(html, seen) {
  const newer = seen && Date.parse(seen.asOf) > asOfMs(html) ? seen : undefined;
  const data = newer && JSON.stringify(newer).replaceAll("<", "\\u003c");
  const old = html
    .replace(FIRST_POLL, "")
    .replace(AS_OF, (_, asOf) => ` data-seen="${newer?.asOf ?? asOf}"`)
    .replace("</body>", (end) => (data ? `<script id="seen" type="application/json">${data}</script>${end}` : end));
  return { html: old, asOf: newer ? Date.parse(newer.asOf) : asOfMs(html) };
}

/** @param {string} text */
function unescapeHtml(text) {
  const names = /** @type {Record<string, string>} */ ({ quot: '"', amp: "&", lt: "<", gt: ">" });
  return text.replace(/&(?:#x([0-9a-f]+)|#(\d+)|(\w+));/gi, (all, hex, decimal, name) => {
    if (name) return names[name] ?? all;
    return String.fromCodePoint(hex ? parseInt(hex, 16) : Number(decimal));
  });
}
