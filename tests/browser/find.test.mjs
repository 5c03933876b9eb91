/** A view of the board by its address: found without JavaScript, and live with it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { eventually, openTab, startStore } from "./support/browser.mjs";

const summary = (tab) => tab.page.locator("search > .find").first();
const offer = (tab) => tab.page.locator("#offer");
const cards = (tab) => tab.page.locator("#pets > [data-pet]").evaluateAll((all) => all.map((card) => card.dataset.pet));

/** Three pets, of which 1 and 2 play. */
async function startPlaying(t) {
  const store = await startStore(t, { pets: 3 });
  for (const id of [1, 2]) await store.setStatus(id, "playing");
  await store.setStatus(3, "sleeping");
  return store;
}

test("without JavaScript, search, filters and the summary are forms and links", async (t) => {
  const store = await startPlaying(t);
  const tab = await openTab(t, `${store.origin}/pets`, { javaScriptEnabled: false });
  const { name } = await store.api("GET", "/pets/2");
  await tab.page.locator('search input[name="q"]').fill(name.toUpperCase());
  await tab.send('search button:text("Search")');
  assert.deepEqual(await cards(tab), ["2"]);
  await tab.page.goto(`${store.origin}/pets`);
  await tab.page.locator("search details summary").click();
  await tab.page.locator('select[name="sort"]').selectOption("newest");
  await tab.send('search button:text("Search")');
  assert.deepEqual(await cards(tab), ["3", "2", "1"]);
  await tab.page.locator('search a:has-text("2 playing")').click();
  assert.deepEqual(await cards(tab), ["2", "1"]);
  assert.match(tab.page.url(), /doing=playing&sort=newest$/);
  // The chosen one leads back.
  await tab.page.locator('search a:has-text("2 playing")').click();
  assert.equal((await cards(tab)).length, 3);
});

test("a pet that stops matching is marked, new ones are offered, and the list changes when the reader agrees", async (t) => {
  const store = await startPlaying(t);
  const tab = await openTab(t, `${store.origin}/pets?doing=playing`);
  await tab.isLive();
  assert.deepEqual(await cards(tab), ["1", "2"]);
  await store.setStatus(1, "sleeping");
  await eventually(async () => assert.match(await tab.pet(1).innerText(), /No longer matches/));
  await store.setStatus(3, "playing");
  await eventually(async () => assert.match(await offer(tab).innerText(), /1 more pet matches · 1 pet no longer matches/));
  await eventually(async () => assert.match(await summary(tab).innerText(), /2 pets\s+1 sleeping\s+2 playing/));
  assert.deepEqual(await cards(tab), ["1", "2"], "nothing moves before");
  await offer(tab).locator("a").click();
  await eventually(async () => assert.deepEqual(await cards(tab), ["2", "3"]));
  await tab.isLive();
  assert.equal(await offer(tab).isVisible(), false);
  tab.assertNoProblems();
});

test("a pet that matches again is not marked, and other pets are not announced", async (t) => {
  const store = await startPlaying(t);
  const tab = await openTab(t, `${store.origin}/pets?doing=playing`);
  await tab.isLive();
  await store.setStatus(3, "bathing");
  await store.setStatus(2, "eating");
  await eventually(() => tab.pet(2).locator("[data-left]").isVisible());
  await store.setStatus(2, "playing");
  await eventually(async () => (await tab.pet(2).locator("[data-left]").count()) === 0);
  await eventually(async () => (await offer(tab).isVisible()) === false);
  const said = await tab.page.locator("#announcer").textContent();
  assert.doesNotMatch(said ?? "", /bathing|2 pets/);
  tab.assertNoProblems();
});

test("a pet that is added to a search is offered, whatever the case of its name", async (t) => {
  const store = await startPlaying(t);
  const tab = await openTab(t, `${store.origin}/pets?q=zoe`);
  await tab.isLive();
  await store.api("POST", "/pets", { name: "ZOË", species: "Rabbit" });
  await eventually(async () => assert.match(await offer(tab).innerText(), /1 more pet matches/));
  await offer(tab).locator("a").click();
  await eventually(async () => assert.equal((await cards(tab)).length, 1));
  tab.assertNoProblems();
});

test("the summary of the whole board counts what the cards show, also while they are paused", async (t) => {
  const store = await startPlaying(t);
  const tab = await openTab(t, `${store.origin}/pets`);
  await tab.isLive();
  await store.setStatus(1, "eating");
  await eventually(async () => assert.match(await summary(tab).innerText(), /3 pets\s+1 eating\s+1 sleeping\s+1 playing/));
  await tab.page.locator("#pause").click();
  await store.setStatus(2, "eating");
  const { id } = await store.api("POST", "/pets", { name: "Clementine", species: "Guinea pig" });
  assert.match(await summary(tab).innerText(), /3 pets\s+1 eating/);
  await tab.page.locator("#pause").click();
  await tab.shows(id, "name", "Clementine");
  await eventually(async () => assert.match(await summary(tab).innerText(), /4 pets\s+2 eating\s+1 sleeping\s+1 not set yet$/));
  assert.equal(await tab.page.locator('script[src*="find.js"]').count(), 0, "no second script");
  tab.assertNoProblems();
});
