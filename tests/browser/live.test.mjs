/** Pages that update live, over whichever transport the network lets through. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ONLY, startProxy } from "./support/proxy.mjs";
import { eventually, openTab, startStore } from "./support/browser.mjs";


/** The statuses of the cards, in order. */
const statuses = (tab) => tab.page.locator('#pets [data-field="status"]').allTextContents();

async function assertFollows(tab, store, pet) {
  for (let round = 0; round < 2; round += 1) await tab.shows(pet, "status", await store.changeStatus(pet));
  assert.equal(tab.loads, 1);
}

test("every card of the index updates while the simulator runs", async (t) => {
  const store = await startStore(t, { simulate: "1s" });
  const proxy = await startProxy(t, store.origin, ONLY.ws);
  const tab = await openTab(t, `${proxy.origin}/pets`);
  await tab.isLive("ws");
  const before = await statuses(tab);
  const changed = new Set();
  await eventually(async () => {
    const now = await statuses(tab);
    now.forEach((status, place) => status !== before[place] && changed.add(place));
    return changed.size === 6;
  });
  assert.equal(tab.loads, 1);
  tab.assertNoProblems();
});

test("a show page updates, with its icon, time and age", async (t) => {
  const store = await startStore(t, { simulate: "1s" });
  const proxy = await startProxy(t, store.origin, ONLY.ws);
  const tab = await openTab(t, `${proxy.origin}/pets/3`);
  await tab.isLive("ws");
  const look = () =>
    tab.pet(3).evaluate((pet) => ({
      status: pet.dataset.status,
      text: pet.querySelector('[data-field="status"]').textContent,
      since: pet.querySelector("time[data-since]").dataset.since,
      ago: pet.querySelector("[data-ago]").textContent,
      icon: getComputedStyle(pet.querySelector(".status-icon"), "::before").maskImage,
    }));
  const before = await look();
  const now = await eventually(async () => {
    const now = await look();
    return now.since !== before.since && now;
  });
  assert.notEqual(now.status, before.status);
  assert.equal(now.text.toLowerCase(), now.status);
  assert.notEqual(now.icon, before.icon);
  assert.equal(now.ago, "just now");
  assert.equal(tab.loads, 1);
  tab.assertNoProblems();
});

describe("on a network that blocks traffic", { concurrency: 3 }, () => {
  test("changes between the page's HTML and its connection are not missed", async (t) => {
    const store = await startStore(t);
    const nothing = { sockets: "refuse", streams: "refuse", polls: "refuse", boards: "refuse" };
    const proxy = await startProxy(t, store.origin, nothing);
    const tab = await openTab(t, `${proxy.origin}/pets`);
    await eventually(() => proxy.asked.includes("/live/poll/short"));
    const status = await store.changeStatus(2);
    proxy.let({ sockets: "pass" });
    await tab.isLive("ws");
    await tab.shows(2, "status", status);
  });

  for (const sockets of ["refuse", "strip", "mute"]) {
    const how = { refuse: "is refused", strip: "loses its Upgrade header", mute: "opens and then stays silent" };
    test(`if WebSocket ${how[sockets]}, the page is live over SSE`, async (t) => {
      const store = await startStore(t);
      const proxy = await startProxy(t, store.origin, { ...ONLY.sse, sockets });
      const tab = await openTab(t, `${proxy.origin}/pets`);
      await tab.isLive("sse");
      await assertFollows(tab, store, 1);
      assert.ok(proxy.asked.includes("/live/ws"), "WebSocket was tried");
    });
  }

  for (const streams of ["refuse", "hold"]) {
    const how = { refuse: "is refused too", hold: "opens and then stays silent" };
    test(`if WebSocket is refused and SSE ${how[streams]}, the page polls`, async (t) => {
      const store = await startStore(t);
      const proxy = await startProxy(t, store.origin, { sockets: "refuse", streams });
      const tab = await openTab(t, `${proxy.origin}/pets/1`);
      await tab.says(/^Live, with a short delay$/);
      assert.equal(await tab.page.locator("#connection").getAttribute("data-state"), "polling");
      assert.equal(await tab.page.evaluate(() => document.body.dataset.freshness), "fresh");
      await assertFollows(tab, store, 1);
      assert.ok(proxy.asked.includes("/live/sse"), "SSE was tried");
    });
  }

  test("a show page receives changes of its own pet only", async (t) => {
    const store = await startStore(t);
    const proxy = await startProxy(t, store.origin, ONLY.sse);
    const tab = await openTab(t, `${proxy.origin}/pets/1`);
    await tab.isLive("sse");
    await tab.page.evaluate(() => {
      globalThis.heard = [];
      document.addEventListener("petstore:change", (event) => globalThis.heard.push(event.detail.pet));
    });
    await store.changeStatus(2);
    await tab.shows(1, "status", await store.changeStatus(1));
    assert.deepEqual(await tab.page.evaluate(() => globalThis.heard), [1]);
  });
});
