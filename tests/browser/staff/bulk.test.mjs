/** The status of several pets, set together on the board. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { eventually, openTab, startStore } from "../support/browser.mjs";

const bar = (tab) => tab.page.locator(".bulk");
const box = (tab, id) => tab.pet(id).locator('input[name="pet"]');

test("selected pets are counted, set together, live in another tab, and restored", async (t) => {
  const store = await startStore(t, { pets: 3 });
  await store.api("PUT", "/pets/2/status", { status: "bathing" });
  for (const id of [1, 3]) await store.api("PUT", `/pets/${id}/status`, { status: "sleeping" });
  const tab = await openTab(t, `${store.origin}/pets`);
  const watching = await tab.openAnother(`${store.origin}/pets`);
  await watching.isLive();
  await tab.isLive();
  assert.equal(await bar(tab).isVisible(), false);

  await box(tab, 1).check();
  await box(tab, 2).check();
  await eventually(async () => assert.match(await bar(tab).innerText(), /2 pets selected/));
  // Above the end of the page, also on a phone.
  await tab.page.setViewportSize({ width: 320, height: 640 });
  await eventually(async () => {
    const { y, height } = await bar(tab).boundingBox();
    assert.ok(y + height <= 641, `${y} + ${height}`);
  });

  await tab.send('.bulk button[value="playing"]');
  assert.match(await tab.page.locator(".undo").innerText(), /2 pets are now playing/);
  for (const id of [1, 2]) await watching.shows(id, "status", "Playing");
  assert.equal(await watching.field(3, "status"), "Sleeping");
  await tab.send('.undo button:text("Undo")');
  await watching.shows(1, "status", "Sleeping");
  await watching.shows(2, "status", "Bathing");
  assert.equal(watching.loads, 1);
  tab.assertNoProblems();
  watching.assertNoProblems();
});

test("all is all that are on the page now, and Enter on a box sets nothing", async (t) => {
  const store = await startStore(t, { pets: 2 });
  const tab = await openTab(t, `${store.origin}/pets`);
  await tab.isLive();
  const { id } = await store.api("POST", "/pets", { name: "Clementine", species: "Guinea pig" });
  await tab.shows(id, "name", "Clementine");
  const all = tab.page.locator("[data-select-all]");
  await all.check();
  await eventually(async () => assert.match(await bar(tab).innerText(), /3 pets selected/));
  await box(tab, 1).uncheck();
  assert.equal(await all.evaluate((element) => element.indeterminate), true);
  const { cursor } = await store.api("GET", "/pets");
  await box(tab, id).press("Enter");
  await tab.page.locator('.bulk button:text("Clear")').click();
  assert.equal(await bar(tab).isVisible(), false);
  assert.equal((await store.api("GET", "/pets")).cursor, cursor);

  await all.check();
  await store.api("DELETE", "/pets/2");
  await eventually(async () => assert.match(await bar(tab).innerText(), /2 pets selected/));
  await tab.send('.bulk button[value="eating"]');
  assert.match(await tab.page.locator(".undo").innerText(), /2 pets are now eating/);
  const { pets } = await store.api("GET", "/pets");
  assert.deepEqual(pets.map((pet) => pet.status), ["eating", "eating"]);
  tab.assertNoProblems();
});

test("in the compact list a tap on the status opens its buttons, and a tap on one of them sets it, live", async (t) => {
  const store = await startStore(t, { pets: 2 });
  await store.setStatus(2, "sleeping");
  const tab = await openTab(t, `${store.origin}/pets`);
  await tab.page.locator('a:text("Compact list")').click();
  await tab.isLive();
  const { id } = await store.api("POST", "/pets", { name: "Clementine", species: "Guinea pig" });
  await tab.shows(id, "name", "Clementine");
  for (const pet of [2, id]) {
    const disclosure = tab.pet(pet).locator("details");
    await disclosure.locator("summary").click();
    await disclosure.locator('button[value="playing"]').click();
    await tab.shows(pet, "status", "Playing");
    assert.equal(await disclosure.evaluate((element) => element.open), false);
    await eventually(async () => assert.match(await tab.pet(pet).innerText(), /Saved and live/));
  }
  await tab.pet(2).locator('button:text("Undo")').click();
  await tab.shows(2, "status", "Sleeping");
  tab.assertNoProblems();
});

test("without JavaScript the form sets all pets of the page, and offers to undo it", async (t) => {
  const store = await startStore(t, { pets: 3 });
  const tab = await openTab(t, `${store.origin}/pets`, { javaScriptEnabled: false });
  assert.equal(await bar(tab).isVisible(), false);
  await tab.page.locator("[data-select-all]").check();
  assert.equal(await bar(tab).isVisible(), true);
  await tab.send('.bulk button[value="eating"]');
  assert.match(await tab.page.locator(".undo").innerText(), /3 pets are now eating/);
  await tab.send('.undo button:text("Undo")');
  assert.match(await tab.page.locator(".notice-done").innerText(), /3 statuses were restored/);
});
