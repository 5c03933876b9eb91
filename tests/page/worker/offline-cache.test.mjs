/** What the service worker stores: the newest board that everyone may read, complete, and nothing else. */
import assert from "node:assert/strict";
import { createHash, webcrypto } from "node:crypto";
import { test } from "node:test";
import { OfflineCache } from "../../../public/worker/offline/offline-cache.js";
import { FakeClock } from "../support/fakes.mjs";

const SCOPE = "https://rescue.example/";
const PHOTO = `${SCOPE}photos/abc-400.jpg`;

/** Returns the path of a file, with the hash of its content. @param {string} name @param {string} content */
const assetPath = (name, content) => `/assets/${createHash("sha256").update(content).digest("hex").slice(0, 16)}/${name}`;

/** @param {{ asOf?: string, script?: string, body?: string }} [page] */
const boardHtml = ({ asOf = "2024-05-01T11:00:00Z", script = "one", body = "Biscuit sleeps" } = {}) =>
  `<html data-first-poll="&#x2f;live&#x2f;poll&#x2f;x"><link rel="preload" as="fetch" crossorigin href="/live/poll/x">` +
  `<script async src="${assetPath("visitor.js", script).replaceAll("/", "&#x2f;")}"></script>` +
  `<body data-page="index" data-cursor="9f2c41aa-7" data-as-of="${asOf}" data-time-zone="Asia&#x2f;Kolkata" data-clock="12">${body}</body>`;

/** A server, the storage of a browser, and the offline cache between them. */
function openOfflineCache() {
  const clock = new FakeClock();
  /** @type {Map<string, { text: string, headers: Record<string, string>, status?: number }>} */
  const answers = new Map();
  /** @type {{ url: string, init: RequestInit }[]} */
  const requests = [];
  /** @type {Map<string, Response>} */
  const entries = new Map();
  const cache = {
    match: async (/** @type {string} */ url) => entries.get(url)?.clone(),
    put: async (/** @type {string} */ url, /** @type {Response} */ response) => void entries.set(url, new Response(await response.text(), response)),
    delete: async (/** @type {string} */ url) => entries.delete(url),
    keys: async () => [...entries.keys()].map((url) => ({ url })),
  };
  const fetch = async (/** @type {any} */ url, /** @type {any} */ init) => {
    requests.push({ url, init });
    const answer = answers.get(url);
    if (!answer) throw new TypeError("offline");
    return new Response(answer.text, { status: answer.status ?? 200, headers: { date: new Date(clock.now()).toUTCString(), ...answer.headers } });
  };
  const digest = (/** @type {ArrayBuffer} */ bytes) => webcrypto.subtle.digest("SHA-256", bytes);
  let exists = false;
  const caches = /** @type {any} */ ({
    open: async () => ((exists = true), cache),
    has: async () => exists,
    match: cache.match,
  });
  const offlineCache = new OfflineCache({ caches, scope: SCOPE, clock, fetch, digest });
  const serve = (/** @type {string} */ path, /** @type {string} */ text, type = "text/html", caching = "no-cache") =>
    answers.set(new URL(path, SCOPE).href, { text, headers: { "content-type": type, "cache-control": caching } });
  const serveBoard = (/** @type {Parameters<typeof boardHtml>[0]} */ page = {}, caching = "no-cache") => {
    const { script = "one" } = page;
    serve("pets", boardHtml(page), "text/html", caching);
    serve(assetPath("visitor.js", script), script, "text/javascript", "public, immutable");
  };
  serve("offline", '<body data-page="offline"><!--board--></body>');
  serve(PHOTO, "photo", "image/jpeg", "public, immutable");
  serveBoard();
  const visit = (fromCache = true) => offlineCache.update({ board: { fromCache, photos: [PHOTO, "https://other.example/photos/x.jpg"] } });
  const paths = () => [...entries.keys()].map((url) => url.slice(SCOPE.length - 1)).sort();
  const show = async (path = "pets") => (await offlineCache.page(SCOPE + path))?.text();
  return { offlineCache, hasCache: () => exists, clock, requests, serve, serveBoard, answers, visit, paths, show };
}

const CURRENT = ["/assets/7692c3ad3540bb80/visitor.js", "/offline", "/pets", "/photos/abc-400.jpg"];

test("a visit stores the board, its files and photos, and the page for other addresses", async () => {
  const { requests, visit, paths, show } = openOfflineCache();
  assert.equal(await show(), undefined);
  await visit();
  assert.deepEqual(paths(), CURRENT);
  for (const { url, init } of requests) assert.equal(init.cache, url.endsWith("/offline") ? "no-cache" : "force-cache", url);
});

test("for staff, no request has a cookie or comes from the browser's cache", async () => {
  const { requests, visit, paths } = openOfflineCache();
  await visit(false);
  assert.deepEqual(paths(), CURRENT);
  for (const { init } of requests) assert.deepEqual([init.credentials, init.cache], ["omit", "no-cache"]);
});

for (const caching of ["no-store", "private, no-cache", ""]) {
  test(`a board with the caching "${caching}" is not stored, and the one before stays`, async () => {
    const { serveBoard, visit, show } = openOfflineCache();
    await visit();
    serveBoard({ asOf: "2024-05-01T11:30:00Z", body: "Signed in as anna" }, caching);
    await visit();
    assert.match((await show()) ?? "", /Biscuit sleeps/);
  });
}

test("what a captive portal answers is not stored", async () => {
  const { answers, visit, paths, show } = openOfflineCache();
  await visit();
  for (const answer of answers.values()) Object.assign(answer, { text: "<h1>Please sign in</h1>", headers: { "content-type": "text/html", "cache-control": "no-cache" } });
  await visit();
  assert.deepEqual(paths(), CURRENT);
  assert.match((await show()) ?? "", /Biscuit sleeps/);
});

test("an answer that is no success, or comes from another address, is not stored", async () => {
  const { answers, requests, visit, paths } = openOfflineCache();
  for (const answer of answers.values()) answer.status = 404;
  await visit();
  assert.deepEqual(paths(), []);
  for (const { url, init } of requests) assert.equal(init.redirect, "error", url);
});

test("a photo that is none, one of another site, and more than 60 are not stored", async () => {
  const { offlineCache, serve, paths } = openOfflineCache();
  const [page, foreign] = [`${SCOPE}photos/page-400.jpg`, "https://other.example/photos/x.jpg"];
  serve(page, "<h1>Please sign in</h1>", "text/html", "public");
  const photos = Array.from({ length: 61 }, (_, place) => `${SCOPE}photos/${place}-400.jpg`);
  for (const photo of [...photos, foreign]) serve(photo, "photo", "image/jpeg", "public, immutable");
  await offlineCache.update({ board: { fromCache: true, photos: [foreign, page] } });
  assert.deepEqual(paths().filter((path) => /photos/.test(path)), []);
  await offlineCache.update({ board: { fromCache: true, photos } });
  assert.equal(paths().filter((path) => path.startsWith("/photos/")).length, 60);
});

test("a file that was cut, or is another one under the old address, keeps the whole new board out", async () => {
  const { serveBoard, serve, visit, paths, show } = openOfflineCache();
  await visit();
  serveBoard({ asOf: "2024-05-01T11:30:00Z", script: "two", body: "Biscuit eats" });
  serve(assetPath("visitor.js", "two"), "tw", "text/javascript", "public, immutable");
  await visit();
  assert.deepEqual(paths(), CURRENT);
  assert.match((await show()) ?? "", /Biscuit sleeps/);
});

test("after an update the files of the board before are deleted", async () => {
  const { serveBoard, visit, paths } = openOfflineCache();
  await visit();
  serveBoard({ asOf: "2024-05-01T11:30:00Z", script: "two" });
  await visit();
  assert.deepEqual(paths().filter((path) => path.startsWith("/assets/")), [assetPath("visitor.js", "two")]);
});

test("an older board, as the browser's cache may have, replaces no newer one", async () => {
  const { serveBoard, visit, show } = openOfflineCache();
  await visit();
  serveBoard({ asOf: "2024-05-01T10:00:00Z", body: "Biscuit eats" });
  await visit();
  assert.match((await show()) ?? "", /Biscuit sleeps/);
});

test("the stored board says that it is old, sends no first poll, and has what the page has shown since", async () => {
  const { offlineCache, visit, show } = openOfflineCache();
  await visit();
  const before = (await show()) ?? "";
  assert.match(before, / data-seen="2024-05-01T11:00:00Z"/);
  assert.doesNotMatch(before, /data-as-of|data-first-poll|rel="preload"|id="seen"/);
  const pets = [{ id: "7", name: "</script><b>$&" }];
  await offlineCache.update({ seen: { cursor: "9f2c41aa-9", asOf: "2024-05-01T11:45:00Z", pets } });
  const after = (await show()) ?? "";
  assert.match(after, / data-seen="2024-05-01T11:45:00Z"/);
  const [, json = ""] = /<script id="seen" type="application\/json">(.*?)<\/script>/.exec(after) ?? [];
  assert.deepEqual(JSON.parse(json).pets, pets);
});

test("what a page has shown before the board was stored is not shown", async () => {
  const { offlineCache, visit, show } = openOfflineCache();
  await offlineCache.update({ seen: { cursor: "9f2c41aa-5", asOf: "2024-05-01T10:45:00Z", pets: [] } });
  await visit();
  assert.doesNotMatch((await show()) ?? "", /id="seen"/);
});

test("other pages link to the board, with its time as the rescue writes it", async () => {
  const { visit, show } = openOfflineCache();
  await visit();
  for (const path of ["pets/7", "pets?q=x", "account"]) {
    assert.match((await show(path)) ?? "", /href="\/pets">See the board as of 4:30 pm</, path);
  }
  assert.match((await show("")) ?? "", /Biscuit sleeps/, "the start page");
});

test("the page for other addresses is requested once a day", async () => {
  const { clock, requests, visit } = openOfflineCache();
  const asked = () => requests.filter(({ url }) => url.endsWith("/offline")).length;
  await visit();
  await visit();
  assert.equal(asked(), 1);
  clock.turn(25 * 3_600_000);
  await visit();
  assert.equal(asked(), 2);
});

test("a tab that was cut off earlier replaces no newer state", async () => {
  const { offlineCache, visit, show } = openOfflineCache();
  await visit();
  await offlineCache.update({ seen: { cursor: "9f2c41aa-9", asOf: "2024-05-01T11:45:00Z", pets: [] } });
  await offlineCache.update({ seen: { cursor: "9f2c41aa-7", asOf: "2024-05-01T11:30:00Z", pets: [{ id: "7", name: "Miso" }] } });
  assert.match((await show()) ?? "", / data-seen="2024-05-01T11:45:00Z"/);
});

test("a page that is left, and a page that is shown, create no cache where it was removed", async () => {
  const { offlineCache, show, hasCache } = openOfflineCache();
  await offlineCache.update({ seen: { cursor: "9f2c41aa-9", asOf: "2024-05-01T11:45:00Z", pets: [] } });
  assert.equal(await show(), undefined);
  assert.equal(hasCache(), false);
});
