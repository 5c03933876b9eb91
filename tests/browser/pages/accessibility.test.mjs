/**
 * Accessibility of every page, by the rules of axe-core: WCAG 2.2 AA and its best practices, in both colour schemes, on a
 * narrow and on a wide page, with and without JavaScript. Other tests cover what rules cannot see: keyboard, focus, announcements.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import axe from "axe-core";
import { startAll, visit } from "../support/all-pages.mjs";
import { openTab } from "../support/browser.mjs";
import { sitePath } from "../support/below.mjs";

/** Pages that are checked concurrently. */
const CONCURRENT = 3;

const LIGHT = { colorScheme: "light", viewport: { width: 1280, height: 900 } };
const DARK_AND_NARROW = { colorScheme: "dark", viewport: { width: 320, height: 640 } };

const OPTIONS = {
  runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
  resultTypes: ["violations"],
};

/** Returns the violations in the page as it looks now. @param {import("playwright-core").Page} page */
async function findViolations(page) {
  const { violations } = await page.evaluate((options) => globalThis.axe.run(document, options), OPTIONS);
  return violations.flatMap(({ id, nodes }) => nodes.map(({ target, failureSummary }) => `${id}, ${target.join(" ")}: ${failureSummary}`));
}

/** Removes the scripts from pages as they load. axe-core itself needs JavaScript, so it cannot be turned off. */
async function removeScripts(route) {
  if (route.request().resourceType() !== "document") return route.continue();
  const response = await route.fetch();
  const html = await response.text();
  await route.fulfill({ response, body: html.replace(/<script\b[^>]*>[^]*?<\/script>/g, "") });
}

/** The ways to read a page. The second one takes minutes, and runs with `LONG=1`. */
const READINGS = [
  { words: "", looks: [LIGHT, DARK_AND_NARROW] },
  { words: " without JavaScript", looks: [DARK_AND_NARROW], prepare: (page) => page.route((url) => !sitePath(url).startsWith("/assets/"), removeScripts) },
];

test("every page follows the rules", async (t) => {
  const pages = await startAll(t);
  const readings = READINGS.slice(0, process.env.LONG ? 2 : 1);
  const all = readings.flatMap((reading) => pages.map((page) => ({ ...page, ...reading })));
  const rest = all.values();
  /** @type {string[]} */
  const found = [];
  const checkRest = async () => {
    for (const reading of rest) {
      const { name, storageState, words, looks, prepare } = reading;
      const { page } = await openTab(t, "about:blank", { storageState });
      await prepare?.(page);
      await visit(page, reading);
      await page.evaluate(axe.source);
      for (const { colorScheme, viewport } of looks) {
        await page.emulateMedia({ colorScheme });
        await page.setViewportSize(viewport);
        const violations = await findViolations(page);
        found.push(...violations.map((violation) => `${name}${words}, ${colorScheme}, ${viewport.width} px: ${violation}`));
      }
      // A picture that nobody has scrolled to may still load.
      await page.unrouteAll({ behavior: "ignoreErrors" });
      await page.context().close();
    }
  };
  await Promise.all(Array.from({ length: CONCURRENT }, checkRest));
  assert.deepEqual(found, []);
});
