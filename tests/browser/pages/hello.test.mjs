/** The hello page. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ONLY, startProxy } from "../support/proxy.mjs";
import { eventually, openTab, startStore } from "../support/browser.mjs";

async function says(tab, place, text) {
  await eventually(async () => assert.equal(await tab.page.locator(place).textContent(), text));
}

async function say(tab, text) {
  await tab.page.locator("#hello-text").fill(text);
  await tab.page.locator("#hello-form button").click();
}

test("the hello page says hello, names its transport, and echoes what is typed", async (t) => {
  const store = await startStore(t);
  const proxy = await startProxy(t, store.origin, ONLY.ws);
  const tab = await openTab(t, `${proxy.origin}/hello`);
  await says(tab, "#hello-answer", "hello");
  await says(tab, "#hello-transport", "WebSocket");
  for (const text of ["Is anybody there?", "<b>ünïcode</b> 🐾", "Is anybody there?"]) {
    await say(tab, text);
    await says(tab, "#hello-answer", text);
  }
  assert.equal(tab.loads, 1);
  tab.assertNoProblems();
});

test("if WebSocket is refused, the hello page still says hello, and says that there is no echo", async (t) => {
  const store = await startStore(t);
  const proxy = await startProxy(t, store.origin, ONLY.sse);
  const tab = await openTab(t, `${proxy.origin}/hello`);
  await says(tab, "#hello-answer", "hello");
  await says(tab, "#hello-transport", "Server-Sent Events");
  await say(tab, "Is anybody there?");
  await says(
    tab,
    "#hello-problem",
    "The echo needs WebSocket, which is blocked here. This page is live over Server-Sent Events.",
  );
  proxy.let({ sockets: "pass" });
  await say(tab, "And now?");
  await says(tab, "#hello-answer", "And now?");
  await says(tab, "#hello-problem", "");
});
