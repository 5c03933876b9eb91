/** The demo's select for a simulated network. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { openTab, startStore } from "../support/browser.mjs";

const SWITCH = "#chaos";

/** Chooses a network, and waits until the page has reloaded. */
async function choose(tab, words) {
  await Promise.all([tab.page.waitForEvent("load"), tab.page.getByLabel("Simulate a bad network").selectOption(words)]);
}

test("a simulated network applies to the next page, and can be switched off", async (t) => {
  // With these heartbeats an upgrade takes seconds.
  const store = await startStore(t, { heartbeat: "2s" });
  const tab = await openTab(t, `${store.origin}/pets`);
  // Over either stream: WebSocket has only a short head start.
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

test("without JavaScript the select is hidden", async (t) => {
  const store = await startStore(t);
  const { page } = await openTab(t, `${store.origin}/pets`, { javaScriptEnabled: false });
  assert.equal(await page.locator(SWITCH).isVisible(), false);
});

test("nothing on the page moves when the client starts", async (t) => {
  const store = await startStore(t);
  const tab = await openTab(t, `${store.origin}/healthz`);
  await tab.page.addInitScript(() => {
    globalThis.moved = 0;
    const add = (list) => list.getEntries().forEach(({ value }) => (globalThis.moved += value));
    new PerformanceObserver(add).observe({ type: "layout-shift", buffered: true });
  });
  await tab.page.goto(`${store.origin}/pets`);
  await tab.isLive();
  // As a share of the window. A time that becomes "just now" moves a hundredth of what a row would.
  const moved = await tab.page.evaluate(() => globalThis.moved);
  assert.ok(moved < 0.01, `moved by ${moved}`);
});
