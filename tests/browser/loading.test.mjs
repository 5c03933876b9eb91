/** Loading a page: what the network spoils is requested again until it is right, and nothing is requested twice. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { startProxy } from "./support/proxy.mjs";
import { eventually, openTab, startStore } from "./support/browser.mjs";

/** How long a captive portal answers after the page. */
const PORTAL_MS = 10_000;

/** Returns the text of the last rule of each stylesheet; "" for one without rules. */
const lastRules = (tab) =>
  tab.page.evaluate(() =>
    [...document.querySelectorAll("link[rel=stylesheet]")].map(({ sheet }) => {
      try {
        return [...(sheet?.cssRules ?? [])].at(-1)?.cssText ?? "";
      } catch {
        return "";
      }
    }),
  );

const areComplete = (rules) => {
  for (const rule of rules) assert.match(rule, /^#complete/);
};

/** Returns the scripts of the page that have not run. */
const missingScripts = (tab) =>
  tab.page.evaluate(() =>
    [...document.querySelectorAll("head script[src]")]
      .map(({ src }) => src.match(/(\w+)\.js/)[1])
      .filter((name) => !(`petStoreScript_${name}` in window)),
  );

describe("a page whose assets the network spoils", { concurrency: 2 }, () => {
  for (const [assets, what] of [
    ["cut", "that are cut"],
    ["busy", "that are answered with 503"],
    ["lose", "that are lost"],
  ]) {
    test(`requests assets ${what} again until it is styled and live`, async (t) => {
      const store = await startStore(t);
      const proxy = await startProxy(t, store.origin, { assets });
      const tab = await openTab(t, `${proxy.origin}/pets`);
      const status = await store.changeStatus(4);
      const asked = (name) => proxy.asked.filter((path) => path.endsWith(name)).length;
      await eventually(() => asked("/demo.js") >= 3 && asked("/staff.css") >= 3);
      assert.match(await tab.line(), /^As of \d\d:\d\d UTC. Reload for the latest.$/);
      assert.doesNotMatch((await lastRules(tab)).join(), /#complete/);
      proxy.let({ assets: "pass" });
      await tab.isLive();
      await tab.shows(4, "status", status);
      await eventually(async () => areComplete(await lastRules(tab)));
      await eventually(async () => assert.deepEqual(await missingScripts(tab), []));
      assert.equal(tab.loads, 1);
    });
  }

  test("is styled and live after a captive portal has answered every request for ten seconds", async (t) => {
    const store = await startStore(t);
    const proxy = await startProxy(t, store.origin, { assets: "portal" });
    const tab = await openTab(t, `${proxy.origin}/pets`);
    await new Promise((resolve) => setTimeout(resolve, PORTAL_MS));
    assert.doesNotMatch((await lastRules(tab)).join(), /#complete/);
    proxy.let({ assets: "pass" });
    await tab.isLive();
    await eventually(async () => areComplete(await lastRules(tab)));
  });

  test("runs its script once, even if it comes after the next request for it", async (t) => {
    const store = await startStore(t);
    const tab = await openTab(t, `${store.origin}/pets`);
    await tab.isLive();
    const src = await tab.page.locator("head script[src]").first().getAttribute("src");
    const before = await tab.page.locator("#pause:not([hidden])").count();
    await tab.page.evaluate((url) => import(url), `${new URL(src, store.origin)}?retry=1`);
    await tab.page.locator("#pause").click();
    assert.equal(await tab.page.locator("#pause").textContent(), "Resume");
    assert.equal(before, 1);
  });
});

test("a first visit to the board of staff requests nothing twice, and the first poll is one of its requests", async (t) => {
  const store = await startStore(t);
  const proxy = await startProxy(t, store.origin);
  const tab = await openTab(t, `${proxy.origin}/pets`);
  await tab.isLive();
  await eventually(() => {
    const asked = proxy.asked.map((path) => path.replace(/^\/assets\/[0-9a-f]+/, "")).filter((path) => path !== "/icon.svg");
    const photos = asked.filter((path) => path.startsWith("/photos/"));
    assert.equal(new Set(photos).size, photos.length, `${photos}`);
    // A page that is live by its first poll sends the next while it waits for its socket.
    const polls = asked.filter((path) => path === "/live/poll");
    assert.ok(polls.length > 0);
    const once = asked.filter((path) => !photos.includes(path) && !polls.includes(path)).sort();
    // A socket that delivers within its head start leaves SSE out.
    const streams = once.includes("/live/sse") ? ["/live/sse"] : [];
    const scripts = ["/demo.js", "/selection.js"];
    const stylesheets = ["/selection.css", "/silhouettes.css", "/staff.css"];
    assert.deepEqual(once, [...streams, "/live/ws", "/pets", ...scripts, ...stylesheets].sort());
  });
  tab.assertNoProblems();
});
