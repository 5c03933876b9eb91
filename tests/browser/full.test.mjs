/** A full server: pages follow the log without missing a change, and are live again once there is room. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { eventually, openTab, startStore } from "./support/browser.mjs";

const FULL = "Live, every few seconds";

test("pages that find the server full follow the log, and return to a stream when there is room", async (t) => {
  // A page tries both streams at the same time. With one slot, either could get it.
  const store = await startStore(t, { "max-viewers": 2 });
  const other = new AbortController();
  t.after(() => other.abort());
  for (let stream = 0; stream < 2; stream += 1) await fetch(`${store.origin}/live/sse`, { signal: other.signal });
  const tab = await openTab(t, "about:blank");
  // Pages return at a random time; these return first.
  await tab.page.context().addInitScript(() => (Math.random = () => 0.001));
  await tab.page.goto(`${store.origin}/pets`);
  await eventually(async () => assert.equal(await tab.line(), FULL));
  // It shares the connection of the other tab.
  const second = await tab.openAnother(`${store.origin}/pets/1`);
  for (let round = 0; round < 2; round += 1) {
    const status = await store.changeStatus(1);
    await tab.shows(1, "status", status);
    await second.shows(1, "status", status);
  }
  assert.equal(await second.line(), FULL);
  other.abort();
  const statuses = [];
  const changing = (async () => {
    while (!(await tab.page.locator('#connection[data-state="live"]').count())) statuses.push(await store.changeStatus(1));
  })();
  await tab.isLive("ws");
  await changing;
  await tab.shows(1, "status", statuses.at(-1));
  await second.isLive("ws");
  assert.equal(tab.loads, 1);
});
