/** The form that sets a status with a note, sent by the script of the page. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { eventually, openTab, startStore } from "../support/browser.mjs";

const NOTE = "at the vet until 3";

test("a note is saved without leaving the page, is live and announced in another, and is in the day of the pet", async (t) => {
  const store = await startStore(t);
  await store.setStatus(1, "sleeping");
  const watching = await openTab(t, `${store.origin}/pets`);
  const staff = await openTab(t, `${store.origin}/pets/1`);
  await watching.isLive();
  await staff.isLive();

  const form = staff.page.locator(".status-more");
  await form.locator("summary").click();
  await form.locator("#status").selectOption("bathing");
  await form.locator("#note").fill(NOTE);
  await form.locator('button[type="submit"]').click();
  for (const tab of [staff, watching]) {
    await tab.shows(1, "status", "Bathing");
    await tab.shows(1, "note", NOTE);
  }
  await eventually(async () => assert.equal(await form.getAttribute("open"), null));
  const said = await eventually(async () => (await watching.page.locator("#announcer").textContent()) || false);
  assert.match(said, new RegExp(`is now bathing: ${NOTE}\\.$`));
  assert.equal((await store.api("GET", "/pets/1")).note, NOTE);

  // A note that was opened and not edited belongs to whoever edits it meanwhile.
  await form.locator("summary").click();
  await store.api("PUT", "/pets/1/status", { status: "bathing", note: "at the vet until 4" });
  await staff.shows(1, "note", "at the vet until 4");
  await form.locator('button[type="submit"]').click();
  await eventually(async () => assert.equal(await form.getAttribute("open"), null));
  assert.equal((await store.api("GET", "/pets/1")).note, "at the vet until 4");
  assert.deepEqual([staff.loads, watching.loads], [1, 1]);

  await staff.page.goto(`${store.origin}/pets/1/days/${new Date().toISOString().slice(0, 10)}`);
  assert.match(await staff.page.locator(".day-table").innerText(), /Bathing\s+at the vet until 4/);
  staff.assertNoProblems();
  watching.assertNoProblems();
});
