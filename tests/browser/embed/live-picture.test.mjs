/** A picture that changes without a script, on the site of somebody else and on the page that shares it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { eventually, openTab, startStore } from "../support/browser.mjs";
import { startSite } from "./site.mjs";

test("a picture on a page without scripts changes with its pet, and keeps the page from nothing", async (t) => {
  const store = await startStore(t);
  await store.setStatus(1, "sleeping");
  const policy = `default-src 'none'; img-src data: ${new URL(store.origin).origin}`;
  const html = `<!doctype html><title>Site</title><link rel="icon" href="data:,"><img src="${store.origin}/pets/1/live.png" alt="Biscuit" height="20">`;
  const site = await startSite(t, { files: { "/": html }, policy });
  // Returns when the page has loaded: the first picture is enough for that.
  const tab = await openTab(t, site, { javaScriptEnabled: false });
  const picture = tab.page.locator("img");
  const seen = async () => (await picture.screenshot()).toString("base64");
  const before = await seen();
  for (const status of ["eating", "playing"]) {
    const last = await seen();
    await store.setStatus(1, status);
    await eventually(async () => assert.notEqual(await seen(), last));
  }
  await store.setStatus(1, "sleeping");
  await eventually(async () => assert.equal(await seen(), before));
  const width = await picture.evaluate((image) => image.getBoundingClientRect().width);
  assert.ok(width > 60, `${width}`);
  tab.assertNoProblems();
});
