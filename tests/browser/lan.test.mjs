/** Plain http in a local network, which is not a secure context, without WebSocket. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { startProxy } from "./support/proxy.mjs";
import { eventually, onLan, openTab, startStore } from "./support/browser.mjs";

/** More than the six connections that a browser opens to one host over HTTP/1.1. */
const TABS = 8;

async function viewers(store) {
  const text = await (await fetch(`${store.origin}/metrics`)).text();
  const counts = text.matchAll(/^petstore_viewers\{transport="\w+"\} (\d+)$/gm);
  return [...counts].reduce((sum, [, count]) => sum + Number(count), 0);
}

test("eight tabs over plain http without WebSocket all load, are live, and share one stream", async (t) => {
  const store = await startStore(t);
  const proxy = await startProxy(t, store.origin, { sockets: "refuse" });
  const address = `${onLan(proxy.origin)}/pets`;
  const first = await openTab(t, address);
  assert.equal(await first.page.evaluate(() => isSecureContext), false);
  await first.isLive("sse");
  const tabs = [first];
  while (tabs.length < TABS) tabs.push(await first.openAnother(address));
  for (const tab of tabs) await tab.isLive("sse");
  const status = await store.changeStatus(1);
  await Promise.all(tabs.map((tab) => tab.shows(1, "status", status)));
  await eventually(async () => assert.equal(await viewers(store), 1));

  // The leader closes: another tab takes over, without a reload.
  await tabs.shift()?.page.close();
  const next = await store.changeStatus(1);
  await Promise.all(tabs.map((tab) => tab.shows(1, "status", next)));
  await eventually(async () => assert.equal(await viewers(store), 1));
  for (const tab of tabs) assert.equal(tab.loads, 1);
});

test("over plain http, pages of one pet and of every pet share one connection as wide as they need", async (t) => {
  const store = await startStore(t);
  const origin = onLan(store.origin);
  const show = await openTab(t, `${origin}/pets/1`);
  await show.isLive();
  await show.shows(1, "status", await store.changeStatus(1));
  const index = await show.openAnother(`${origin}/pets`);
  await index.isLive();
  for (const pet of [1, 6]) await index.shows(pet, "status", await store.changeStatus(pet));
  await show.shows(1, "status", await index.field(1, "status"));
  await eventually(async () => assert.equal(await viewers(store), 1));
  await show.page.close();
  await index.shows(6, "status", await store.changeStatus(6));
  await eventually(async () => assert.equal(await viewers(store), 1));
});
