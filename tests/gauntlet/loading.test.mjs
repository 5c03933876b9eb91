/** Loading a page in Chromium and in Firefox: what the network spoils is requested again until it is right. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { eventually, startStore } from "../browser/support/browser.mjs";
import { startProxy } from "../browser/support/proxy.mjs";
import { Browser } from "./support/browser.mjs";

/** Returns true if the script runs, is live, and each stylesheet is complete. */
const isWhole = () =>
  document.querySelector("#connection")?.dataset.state === "live" &&
  [...document.querySelectorAll("link[rel=stylesheet]")].every(
    ({ sheet }) => sheet?.cssRules[sheet.cssRules.length - 1]?.selectorText === "#complete",
  );

/** @param {import("./support/browser.mjs").BrowserName} name */
async function visit(t, name, url) {
  const browser = await Browser.open(name);
  t.after(() => browser.close());
  const tab = await browser.openTab();
  await tab.visit(url);
  return tab;
}

for (const name of /** @type {const} */ (["chromium", "firefox"])) {
  describe(name, { concurrency: 2 }, () => {
    for (const assets of ["portal", "cut", "busy", "lose"]) {
      test(`assets that a network spoils (${assets}) are requested until they are right`, async (t) => {
        const store = await startStore(t);
        const proxy = await startProxy(t, store.origin, { assets });
        const tab = await visit(t, name, `${proxy.origin}/pets`);
        const asked = (ending) => proxy.asked.filter((path) => path.endsWith(ending)).length;
        await eventually(() => asked("/demo.js") >= 3 && asked("/staff.css") >= 3);
        proxy.let({ assets: "pass" });
        await eventually(() => tab.page.evaluate(isWhole));
      });
    }
  });
}
