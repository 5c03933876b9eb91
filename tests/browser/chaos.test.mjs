/** The demo's switch for a bad network, as a person uses it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { openTab, startStore } from "./support.mjs";

const SWITCH = "#chaos";

/** Chooses, and waits for the page that is loaded again. */
async function choose(tab, words) {
  await Promise.all([tab.page.waitForEvent("load"), tab.page.getByLabel("Simulate a bad network").selectOption(words)]);
}

test("a network is chosen, holds on the next page, and is switched off", async (t) => {
  // A link on trial has proved itself soon.
  const store = await startStore(t, { heartbeat: "2s" });
  const tab = await openTab(t, `${store.origin}/pets`);
  // Over which is up to chance: WebSocket has only a short head start.
  await tab.isLive();
  tab.assertNoProblems();

  await choose(tab, "Refuses WebSocket");
  await tab.isLive("sse");
  const text = await store.changeStatus(1);
  await tab.shows(1, "status", text);

  await tab.send('[data-pet="1"] a');
  await tab.isLive("sse");
  assert.equal(await tab.page.locator(SWITCH).inputValue(), "refuse-ws");
  const refused = tab.problems.filter((problem) => problem.includes("/live/ws") && problem.includes("403"));
  assert.deepEqual(tab.problems, refused, "nothing but the refusals");

  await choose(tab, "Off");
  await tab.isLive();
  await tab.page.evaluate(() => void dispatchEvent(new Event("online")));
  await tab.isLive("ws");
});

test("without JavaScript the switch is not shown", async (t) => {
  const store = await startStore(t);
  const { page } = await openTab(t, `${store.origin}/pets`, { javaScriptEnabled: false });
  assert.equal(await page.locator(SWITCH).isVisible(), false);
});

test("nothing moves when the page comes to life", async (t) => {
  const store = await startStore(t);
  const tab = await openTab(t, `${store.origin}/healthz`);
  await tab.page.addInitScript(() => {
    globalThis.moved = 0;
    const add = (list) => list.getEntries().forEach(({ value }) => (globalThis.moved += value));
    new PerformanceObserver(add).observe({ type: "layout-shift", buffered: true });
  });
  await tab.page.goto(`${store.origin}/pets`);
  await tab.isLive();
  // A share of the window; a time that becomes "just now" within its line is a hundredth of what a row is.
  const moved = await tab.page.evaluate(() => globalThis.moved);
  assert.ok(moved < 0.01, `moved by ${moved}`);
});
