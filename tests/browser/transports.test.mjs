/** The transport that a page uses: found on difficult networks, left when it fails, and upgraded. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { startProxy } from "./support/proxy.mjs";
import { eventually, openTab, startStore } from "./support/browser.mjs";


/** With these heartbeats, an upgrade takes less than ten seconds. */
const OFTEN = { heartbeat: "2s" };

/** Records each connection status of the page from now on, with its transport. */
function recordStatus(tab) {
  return tab.page.evaluate(() => {
    const connection = document.querySelector("#connection");
    const text = document.querySelector("#connection-text");
    globalThis.recorded = [];
    const record = () => globalThis.recorded.push(`${text.textContent} ${connection.dataset.transport}`);
    record();
    new MutationObserver(record).observe(connection, { attributes: true, childList: true, characterData: true, subtree: true });
  });
}

const recordedStatuses = (tab) => tab.page.evaluate(() => [...new Set(globalThis.recorded)]);

/** Sends the event of a browser whose network is back. */
const tellOnline = (tab) => tab.page.evaluate(() => void dispatchEvent(new Event("online")));

async function assertFollows(tab, store) {
  for (let round = 0; round < 2; round += 1) await tab.shows(1, "status", await store.changeStatus(1));
  assert.equal(tab.loads, 1);
}

describe("the transport of a page", { concurrency: 3 }, () => {
  test("is upgraded to WebSocket once that gets through, and the page is live all the time", async (t) => {
    const store = await startStore(t, OFTEN);
    const proxy = await startProxy(t, store.origin, { sockets: "refuse" });
    const tab = await openTab(t, `${proxy.origin}/pets`);
    await tab.isLive("sse");
    await recordStatus(tab);
    proxy.let({ sockets: "pass" });
    await tellOnline(tab);
    await tab.isLive("ws");
    assert.deepEqual(await recordedStatuses(tab), ["Live sse", "Live ws"]);
    await assertFollows(tab, store);
  });

  test("stays where a better one dies after its hello", async (t) => {
    const store = await startStore(t, OFTEN);
    const proxy = await startProxy(t, store.origin, { sockets: "refuse" });
    const tab = await openTab(t, `${proxy.origin}/pets`);
    await tab.isLive("sse");
    await recordStatus(tab);
    proxy.let({ sockets: "kill" });
    const asked = proxy.asked.length;
    await tellOnline(tab);
    await eventually(() => proxy.asked.slice(asked).includes("/live/ws"));
    await assertFollows(tab, store);
    assert.deepEqual(await recordedStatuses(tab), ["Live sse"]);
  });

  test("is SSE where sockets are killed a moment after they open", async (t) => {
    const store = await startStore(t, OFTEN);
    const proxy = await startProxy(t, store.origin, { sockets: "kill" });
    const tab = await openTab(t, `${proxy.origin}/pets`);
    await tab.isLive("sse");
    await assertFollows(tab, store);
  });

  test("is long polling where sockets are killed and each event is held back until the next", async (t) => {
    const store = await startStore(t);
    const proxy = await startProxy(t, store.origin, { sockets: "kill", streams: "behind" });
    const tab = await openTab(t, `${proxy.origin}/pets`);
    await eventually(() => proxy.asked.includes("/live/poll"));
    await assertFollows(tab, store);
    await eventually(() => proxy.asked.filter((path) => path === "/live/poll").length >= 3);
    assert.ok(proxy.asked.includes("/live/sse"), "SSE was tried");
  });

  test("is short polling where streams and requests that wait are cut", async (t) => {
    const store = await startStore(t);
    const proxy = await startProxy(t, store.origin, { sockets: "refuse", streams: "refuse", polls: "cut" });
    const tab = await openTab(t, `${proxy.origin}/pets`);
    await eventually(() => proxy.asked.filter((path) => path === "/live/poll/short").length >= 2);
    await assertFollows(tab, store);
    assert.ok(proxy.asked.includes("/live/poll"), "long polling was tried");
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
