/** The rung that a page is on: found where networks play tricks, left when it fails, and climbed back from. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { startProxy } from "./proxy.mjs";
import { eventually, openTab, startStore } from "./support.mjs";

const OVER_WEBSOCKET = /^Live over WebSocket/;
const OVER_SSE = /^Live over SSE/;

/** With these, a link on trial has proved itself within ten seconds. */
const OFTEN = { heartbeat: "2s" };

/** Keeps what the line says, from now on and without the ages in it. */
function keepLine(tab) {
  return tab.page.evaluate(() => {
    const text = document.querySelector("#connection-text");
    globalThis.said = [];
    const keep = () => globalThis.said.push(text.textContent.split(" · ")[0]);
    keep();
    new MutationObserver(keep).observe(text, { childList: true, characterData: true, subtree: true });
  });
}

const keptLine = (tab) => tab.page.evaluate(() => [...new Set(globalThis.said)]);

/** Tells the page what browsers tell when a network is back. */
const tellOnline = (tab) => tab.page.evaluate(() => void dispatchEvent(new Event("online")));

async function assertFollows(tab, store) {
  for (let round = 0; round < 2; round += 1) await tab.shows(1, "status", await store.changeStatus(1));
  assert.equal(tab.loads, 1);
}

describe("the rung of a page", { concurrency: 3 }, () => {
  test("is WebSocket again once that gets through, and in between the page is live all the time", async (t) => {
    const store = await startStore(t, OFTEN);
    const proxy = await startProxy(t, store.origin, { sockets: "refuse" });
    const tab = await openTab(t, `${proxy.origin}/pets`);
    await tab.saysOfItself(OVER_SSE);
    await keepLine(tab);
    proxy.let({ sockets: "pass" });
    await tellOnline(tab);
    await tab.saysOfItself(OVER_WEBSOCKET);
    assert.deepEqual(await keptLine(tab), ["Live over SSE", "Live over WebSocket"]);
    await assertFollows(tab, store);
  });

  test("stays where a better one lets hello through and then dies", async (t) => {
    const store = await startStore(t, OFTEN);
    const proxy = await startProxy(t, store.origin, { sockets: "refuse" });
    const tab = await openTab(t, `${proxy.origin}/pets`);
    await tab.saysOfItself(OVER_SSE);
    await keepLine(tab);
    proxy.let({ sockets: "kill" });
    const asked = proxy.asked.length;
    await tellOnline(tab);
    await eventually(() => proxy.asked.slice(asked).includes("/live/ws"));
    await assertFollows(tab, store);
    assert.deepEqual(await keptLine(tab), ["Live over SSE"]);
  });

  test("is SSE where sockets are killed a moment after they open", async (t) => {
    const store = await startStore(t, OFTEN);
    const proxy = await startProxy(t, store.origin, { sockets: "kill" });
    const tab = await openTab(t, `${proxy.origin}/pets`);
    await tab.saysOfItself(OVER_SSE);
    await assertFollows(tab, store);
  });

  test("is long poll where sockets are killed and each event comes only with the next", async (t) => {
    const store = await startStore(t);
    const proxy = await startProxy(t, store.origin, { sockets: "kill", streams: "behind" });
    const tab = await openTab(t, `${proxy.origin}/pets`);
    await eventually(() => proxy.asked.includes("/live/poll"));
    await assertFollows(tab, store);
    await eventually(() => proxy.asked.filter((path) => path === "/live/poll").length >= 3);
    assert.ok(proxy.asked.includes("/live/sse"), "SSE was tried");
  });

  test("is short poll where nothing may stay open and nothing may wait", async (t) => {
    const store = await startStore(t);
    const proxy = await startProxy(t, store.origin, { sockets: "refuse", streams: "refuse", polls: "cut" });
    const tab = await openTab(t, `${proxy.origin}/pets`);
    await eventually(() => proxy.asked.filter((path) => path === "/live/state").length >= 2);
    await assertFollows(tab, store);
    assert.ok(proxy.asked.includes("/live/poll"), "long poll was tried");
  });

  test("is where the next page of the same browser starts", async (t) => {
    const store = await startStore(t);
    const proxy = await startProxy(t, store.origin, { sockets: "refuse", streams: "refuse" });
    const tab = await openTab(t, `${proxy.origin}/pets`);
    await eventually(() => proxy.asked.includes("/live/poll"));
    await assertFollows(tab, store);
    await tab.page.goto("about:blank");
    const asked = proxy.asked.length;
    const next = await tab.openAnother(`${proxy.origin}/pets/1`);
    await assertFollows(next, store);
    assert.equal(proxy.asked.slice(asked).find((path) => path.startsWith("/live/")), "/live/poll");
  });
});
