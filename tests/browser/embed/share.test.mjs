/** The pages that write snippets for other sites. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { openTab, startStore } from "../support/browser.mjs";

test("each snippet of a share page is copied to the clipboard, or selected if that is forbidden", async (t) => {
  const store = await startStore(t);
  const tab = await openTab(t, `${store.origin}/pets/1/share`);
  await tab.page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
  const buttons = await tab.page.locator("[data-copies]").all();
  assert.ok(buttons.length >= 6, `${buttons.length}`);
  const said = tab.page.locator("#copied");
  for (const button of buttons) {
    const id = await button.getAttribute("data-copies");
    const text = await tab.page.locator(`#${id}`).textContent();
    await button.click();
    await tab.page.waitForFunction((button) => button.textContent === "Copied", await button.elementHandle());
    assert.equal(await tab.page.evaluate(() => navigator.clipboard.readText()), text);
    assert.match(text, /\/pets\/1|\/live\/client\.js/, id);
  }
  assert.equal(await said.textContent(), "Copied");
  await tab.page.evaluate(() => Object.defineProperty(navigator, "clipboard", { value: undefined }));
  await buttons[0].click();
  await tab.page.waitForFunction((button) => button.textContent === "Selected", await buttons[0].elementHandle());
  assert.equal(await tab.page.evaluate(() => String(getSelection())), await tab.page.locator("#address").textContent());
  tab.assertNoProblems();
});
