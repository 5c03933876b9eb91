/** Pages that run before they are visible: prerendered by a speculation rule, or opened in a background tab. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { BASE_PATH } from "./support/below.mjs";
import { startProxy } from "./support/proxy.mjs";
import { eventually, onLan, startStore } from "./support/browser.mjs";
import { openUnattended, openWindow } from "./support/window.mjs";

/** More than the connections that a browser opens to one host over HTTP/1.1. */
const PRERENDERED = 8;

/** The script of the page. */
const SCRIPT = "/demo.js";

/** The page sends the first poll as soon as it is parsed. The server holds it for 0.1 s at most, so it is no live connection. */
const isFirstPoll = (path) => path === "/live/poll";
const isLive = (path) => (path.startsWith("/live/") && !isFirstPoll(path)) || path === "/healthz";

/** A page of the same origin that lets the browser prerender eight pages, and visits the last one on request. */
const LINKS = `<!DOCTYPE html><title>links</title>
  <script type="speculationrules">
    { "prerender": [{ "source": "list", "eagerness": "immediate", "urls": [${urls().join()}] }] }
  </script>
  <script>
    setInterval(async () => {
      const turn = await (await fetch("${BASE_PATH}/turn", { cache: "no-store" })).text();
      if (turn === "visit" && document.title !== turn) {
        document.title = turn;
        location.href = "${BASE_PATH}/pets?n=${PRERENDERED}";
      }
    }, 50);
  </script>`;

function urls() {
  return Array.from({ length: PRERENDERED }, (_, i) => `"${BASE_PATH}/pets?n=${i + 1}"`);
}

describe("pages that are not visible", { concurrency: 2 }, () => {
  test("eight prerendered pages open no connection, and the one that is visited is live", async (t) => {
    const store = await startStore(t);
    // Without WebSocket each live page occupies one of six connections. In a secure context the election would delay
    // prerendered pages for some seconds, because browsers grant them no lock.
    const proxy = await startProxy(t, store.origin, { sockets: "refuse", assets: "fresh" });
    proxy.pages.set("/links", LINKS);
    proxy.pages.set("/turn", "wait");
    const count = (is) => proxy.asked.filter(is).length;
    await openUnattended(t, `${onLan(proxy.origin)}/links`);
    await eventually(() => assert.equal(count((path) => path.endsWith(SCRIPT)), PRERENDERED));
    // Requests of the visible page are answered while they run.
    const before = count((path) => path === "/turn");
    await eventually(() => assert.ok(count((path) => path === "/turn") >= before + 10));
    assert.deepEqual(proxy.asked.filter(isLive), []);
    assert.equal(count(isFirstPoll), PRERENDERED);

    proxy.pages.set("/turn", "visit");
    await eventually(() => assert.equal(count((path) => path === "/live/sse"), 1));
    assert.equal(count((path) => path === "/pets"), PRERENDERED, "the page that is visited was prerendered");
    assert.equal(count((path) => path === "/live/ws"), 1, "the others still ask for nothing");
  });

  test("a page in a background tab opens no connection until it is visible", async (t) => {
    const store = await startStore(t);
    const proxy = await startProxy(t, store.origin);
    const window = await openWindow(t);
    const front = await window.openTab(`${store.origin}/pets`);
    await front.isLive();
    const back = await window.openBehind(front, `${proxy.origin}/pets`);
    assert.equal(await back.page.evaluate(() => document.visibilityState), "hidden");
    await eventually(() => assert.ok(proxy.asked.some((path) => path.endsWith(SCRIPT))));
    const status = await store.changeStatus(1);
    await front.shows(1, "status", status);
    const kept = await back.page.evaluate(async () => ({
      memory: { ...localStorage },
      locks: await navigator.locks.query(),
    }));
    assert.deepEqual(kept, { memory: {}, locks: { held: [], pending: [] } });
    assert.deepEqual(proxy.asked.filter(isLive), []);
    assert.equal(proxy.asked.filter(isFirstPoll).length, 1);
    await back.page.bringToFront();
    await back.isLive();
    await back.shows(1, "status", status);
  });
});
