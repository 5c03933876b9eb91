/** Nothing sticks out of its place: at 320 px, and at 1280 px with a zoom of 200 %. On a phone, what matters comes first. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { startAll, visit } from "../support/all-pages.mjs";
import { openTab } from "../support/browser.mjs";

/** Widths in CSS pixels. A zoom of 200 % halves the width of the page. */
const VIEWPORTS = { "320 px": { width: 320, height: 640 }, "1280 px at 200 %": { width: 640, height: 400 } };

/** Pages that are checked concurrently. */
const CONCURRENT = 3;

const PHONE = { width: 390, height: 844 };

/** How far down an element may end on a phone, by page: the start of the first pet, and all buttons that set the status. */
const FIRST = [
  { name: "visitor /pets", selector: ".find, h1, .line", limit: 330 },
  { name: "admin /pets", selector: ".select-all, .find, h1, .line", limit: 400 },
  { name: "admin /pets/1", selector: ".set-status fieldset button", limit: 844 },
];

/** Returns the elements whose content is wider than they are, and those that widen the page. Runs in the page. */
function findWide() {
  const describe = (element) => `${element.localName}.${element.className} ${element.textContent.trim().slice(0, 40)}`;
  const isScrolled = (element) => /auto|scroll/.test(getComputedStyle(element).overflowX);
  const wide = [...document.querySelectorAll("body *")].filter((element) => {
    if (element.closest(".visually-hidden, .skip, svg, thead") || !element.checkVisibility()) return false;
    if (isScrolled(element) || /textarea|input/.test(element.localName) || element.clientWidth === 0) return false;
    return element.scrollWidth > element.clientWidth;
  });
  const page = document.documentElement;
  return [...(page.scrollWidth > page.clientWidth ? ["the page"] : []), ...wide.map(describe)];
}

test("nothing is wider than its place", async (t) => {
  const pages = await startAll(t);
  /** @type {string[]} */
  const found = [];
  const rest = pages.values();
  const checkRest = async () => {
    for (const one of rest) {
      const { page } = await openTab(t, "about:blank", { viewport: VIEWPORTS["320 px"], storageState: one.storageState });
      await visit(page, one);
      for (const [words, viewport] of Object.entries(VIEWPORTS)) {
        await page.setViewportSize(viewport);
        for (const element of await page.evaluate(findWide)) found.push(`${one.name}, ${words}: ${element}`);
      }
      await page.context().close();
    }
  };
  await Promise.all(Array.from({ length: CONCURRENT }, checkRest));
  assert.deepEqual(found, []);

  for (const { name, selector, limit } of FIRST) {
    const { url, storageState } = pages.find((page) => page.name === name);
    const { page } = await openTab(t, url, { viewport: PHONE, storageState });
    const ends = await page.locator(`:is(${selector}):visible`).evaluateAll((all) => all.map((one) => one.getBoundingClientRect().bottom));
    assert.ok(Math.max(...ends) <= limit, `${name} ends at ${Math.max(...ends)}`);
    await page.context().close();
  }
});
