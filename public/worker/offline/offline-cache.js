// @ts-check
/**
 * What the service worker stores: the board as visitors saw it last, the page for all other addresses, and their files.
 *
 * Nothing of a person is ever stored. An answer is refused if the server marks it as private (`private`, `no-store`), which it
 * does with each page for somebody who is signed in. For staff, and for whatever does not come from the browser's own
 * cache, the request has no cookie. A file of the build is refused if its content does not have the hash that its address has, so neither a
 * captive portal nor an update between two requests spoils what is stored. Files that the board no longer needs are deleted.
 */
import { momentText, setLocalTime } from "../../app/state/time-text.js";
import { cacheName } from "./cache-name.js";
import { asOfMs, boardOf, bodyData, filesOf } from "./stored-page.js";
/** @import { Clock } from "../../petstore/clock.js" */
/** @import { SeenBoard } from "./stored-page.js" */

/**
 * A message of a page.
 * @typedef {object} PageMessage
 * @property {{ fromCache: boolean, photos: string[] }} [board]  The page is the board. `fromCache`: the browser's cache has the page and
 *   its files, as visitors see them. `photos`: addresses of the photos that have been shown.
 * @property {SeenBoard} [seen]  What the board shows now.
 */

/** The page for other addresses is requested again after this time: its looks may have changed. */
const PAGE_AGE_MS = 24 * 3_600_000;

/** Bounds the room that photos take. A page of the board has at most 60 pets. */
const MAX_PHOTOS = 60;

/** The request of a reader without an account. @type {RequestInit} */
const ANONYMOUS = { credentials: "omit", cache: "no-cache" };

/** From the browser's cache, whatever its age: nothing is loaded twice. @type {RequestInit} */
const FROM_CACHE = { credentials: "same-origin", cache: "force-cache" };

const TYPES = [
  { name: /\.js$/, type: /javascript/ },
  { name: /\.css$/, type: /^text\/css/ },
  { name: /\.(svg|jpg|png)$/, type: /^image\// },
];

export class OfflineCache {
  #options;
  #boardUrl;
  #pageUrl;
  #seenUrl;
  /** Ends with the last update: one at a time. @type {Promise<unknown>} */
  #updating = Promise.resolve();

  /**
   * @param {object} options
   * @param {CacheStorage} options.caches
   * @param {string} options.scope
   * @param {Pick<Clock, "now">} options.clock
   * @param {typeof fetch} options.fetch
   * @param {(bytes: ArrayBuffer) => Promise<ArrayBuffer>} options.digest  SHA-256.
   */
  constructor(options) {
    this.#options = options;
    this.#boardUrl = `${options.scope}pets`;
    this.#pageUrl = `${options.scope}offline`;
    // No such address exists.
    this.#seenUrl = `${options.scope}pets?seen`;
  }

  /** Stores what a page says. If something cannot be loaded, its stored version stays. @param {PageMessage} message */
  update({ board, seen }) {
    const run = () => (seen ? this.#keepSeen(seen) : this.#keepPages(board));
    this.#updating = this.#updating.then(run).catch(() => {});
    return this.#updating;
  }

  /** Returns the page that a reader without a network gets at an address; undefined if nothing is stored. @param {string} url */
  async page(url) {
    const stored = [this.#boardUrl, this.#pageUrl, this.#seenUrl].map((stored) => this.file(stored));
    const [boardResponse, page, seen] = await Promise.all(stored);
    const board = boardResponse && boardOf(await boardResponse.text(), await seen?.json());
    if (board && [this.#options.scope, this.#boardUrl].includes(url.split("#")[0])) return withBody(boardResponse, board.html);
    const link = board ? this.#linkTo(board) : "";
    return page && withBody(page, (await page.text()).replace("<!--board-->", () => link));
  }

  /** Returns a stored file. Creates no cache: it may have been removed (`remove-worker.js`). @param {string} url */
  file(url) {
    const { caches, scope } = this.#options;
    return caches.match(url, { cacheName: cacheName(scope) });
  }

  #open() {
    return this.#options.caches.open(cacheName(this.#options.scope));
  }

  /** Links to the board, with its time as the board writes it. @param {{ html: string, asOf: number }} board */
  #linkTo({ html, asOf }) {
    setLocalTime({ timeZone: bodyData(html, "time-zone"), clock: bodyData(html, "clock") });
    const time = momentText(asOf, this.#options.clock.now());
    return `<p><a class="button button-main" href="${new URL(this.#boardUrl).pathname}">See the board as of ${time}</a></p>`;
  }

  /** Stores the state that a page shows, unless another page has shown a newer one. @param {SeenBoard} seen */
  async #keepSeen(seen) {
    // Creates no cache: a page also sends this while the reader leaves it, when `remove-worker.js` may have deleted the cache.
    if (!(await this.#options.caches.has(cacheName(this.#options.scope)))) return;
    const cache = await this.#open();
    const stored = await (await cache.match(this.#seenUrl))?.json();
    if (stored && Date.parse(stored.asOf) > Date.parse(seen.asOf)) return;
    await cache.put(this.#seenUrl, new Response(JSON.stringify(seen)));
  }

  /** @param {PageMessage["board"]} board */
  async #keepPages(board) {
    const cache = await this.#open();
    const pages = new Map([[this.#pageUrl, await this.#newestPage(cache)]]);
    pages.set(this.#boardUrl, board ? await this.#newestBoard(cache, board.fromCache) : await cache.match(this.#boardUrl));
    const files = new Set();
    for (const page of pages.values()) {
      const html = (await page?.clone().text()) ?? "";
      for (const file of filesOf(html, `${this.#options.scope}assets/`)) files.add(file);
    }
    for (const file of files) await this.#keepFile(cache, file, board?.fromCache);
    const stored = (await cache.keys()).map(({ url }) => url);
    const isPhoto = (/** @type {string} */ url) => url.startsWith(`${this.#options.scope}photos/`);
    const photos = board ? board.photos.filter(isPhoto).slice(0, MAX_PHOTOS) : stored.filter(isPhoto);
    // A board without a photo is better than none.
    for (const photo of photos) await this.#keepFile(cache, photo, board?.fromCache).catch(() => {});
    for (const [url, page] of pages) if (page) await cache.put(url, page);
    const needed = new Set([...files, ...photos, ...pages.keys(), this.#seenUrl]);
    await Promise.all(stored.filter((url) => !needed.has(url)).map((url) => cache.delete(url)));
  }

  /** @param {Cache} cache */
  async #newestPage(cache) {
    const stored = await cache.match(this.#pageUrl);
    const age = this.#options.clock.now() - Date.parse(stored?.headers.get("date") ?? "");
    if (stored && Math.abs(age) < PAGE_AGE_MS) return stored;
    const page = await this.#fetch(this.#pageUrl, ANONYMOUS).catch(() => undefined);
    return page && (await page.clone().text()).includes('data-page="offline"') ? page : stored;
  }

  /** @param {Cache} cache @param {boolean} fromCache */
  async #newestBoard(cache, fromCache) {
    const stored = await cache.match(this.#boardUrl);
    const board = await this.#fetch(this.#boardUrl, fromCache ? FROM_CACHE : ANONYMOUS).catch(() => undefined);
    const [storedAsOf, asOf] = await Promise.all([stored, board].map(async (page) => asOfMs((await page?.clone().text()) ?? "")));
    // The browser's cache may have an older one.
    return Number.isNaN(asOf) || asOf <= storedAsOf ? stored : board;
  }

  /** Stores a file that is not stored yet. @param {Cache} cache @param {string} url @param {boolean} [fromCache] */
  async #keepFile(cache, url, fromCache) {
    if (await cache.match(url)) return;
    const response = await this.#fetch(url, fromCache ? FROM_CACHE : ANONYMOUS);
    const expected = TYPES.find(({ name }) => name.test(new URL(url).pathname));
    if (!expected?.type.test(response.headers.get("content-type") ?? "")) throw new TypeError(url);
    const [, hash] = /\/assets\/([0-9a-f]{16})\//.exec(url) ?? [];
    if (hash && hash !== (await this.#hashOf(response.clone()))) throw new TypeError(url);
    await cache.put(url, response);
  }

  /** Returns the hash of the content, as in the addresses of files. @param {Response} response */
  async #hashOf(response) {
    const bytes = new Uint8Array(await this.#options.digest(await response.arrayBuffer()));
    return [...bytes.slice(0, 8)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  }

  /**
   * Requests something that everyone may read.
   * @param {string} url @param {RequestInit} init
   * @throws {TypeError} If the answer is another one.
   */
  async #fetch(url, init) {
    const response = await this.#options.fetch(url, { ...init, redirect: "error" });
    const caching = response.headers.get("cache-control");
    if (response.status !== 200 || !caching || /private|no-store/.test(caching)) throw new TypeError(url);
    return response;
  }
}

/** @param {Response} response @param {string} html */
function withBody({ headers }, html) {
  return new Response(html, { headers });
}
