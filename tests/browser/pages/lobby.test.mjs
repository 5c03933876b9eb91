/** The screen in the lobby: live and large, one slide after the other, and honest when it is not live. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { eventually, LIMIT_MS, openTab, startStore } from "../support/browser.mjs";

const SCREENS = { landscape: { width: 1920, height: 1080 }, portrait: { width: 1080, height: 1920 } };

/** A slide is shown for 15 seconds. */
const SLIDE_LIMIT_MS = 15_000 + LIMIT_MS;

/** The ids of the pets that are shown, in their order. */
const shown = (tab) => tab.page.locator(".lobby-pet").evaluateAll((cards) =>
  cards.filter((card) => card.checkVisibility()).map((card) => Number(card.dataset.pet)));

const position = (tab) => tab.page.locator("#slide").textContent();

/** Replaces the screen lock by one that a test can read and release. Runs in the page. */
function fakeWakeLock() {
  const locks = (window.locks = []);
  const request = async () => locks[locks.push(new EventTarget()) - 1];
  Object.defineProperty(navigator, "wakeLock", { value: { request } });
}

test("changes, new pets and removed pets are shown without a reload", async (t) => {
  const store = await startStore(t, { pets: 3 });
  const tab = await openTab(t, `${store.origin}/board`, { viewport: SCREENS.landscape });
  await tab.isLive();
  await tab.shows(1, "status", await store.changeStatus(1));
  const { id } = await store.api("POST", "/pets", { name: "Mossie", species: "Rabbit" });
  await tab.shows(id, "name", "Mossie");
  assert.deepEqual(await shown(tab), [1, 2, 3, id]);
  await store.setStatus(id, "bathing");
  await tab.shows(id, "status", "Bathing");
  const { pets } = await store.api("GET", "/pets");
  const count = pets.filter(({ status }) => status === "bathing").length;
  assert.equal(await tab.page.locator('[data-count="bathing"]').textContent(), String(count));
  await store.api("DELETE", "/pets/2");
  await eventually(async () => assert.deepEqual(await shown(tab), [1, 3, id]));
  assert.equal(tab.loads, 1);
  tab.assertNoProblems();
});

for (const [name, viewport] of Object.entries(SCREENS)) {
  test(`a slide fills a ${name} screen, and its names are readable from five metres`, async (t) => {
    const store = await startStore(t, { pets: 14 });
    const tab = await openTab(t, `${store.origin}/board`, { viewport });
    await tab.isLive();
    assert.deepEqual(await shown(tab), [1, 2, 3, 4, 5]);
    assert.equal(await position(tab), "1–5 of 14");
    const sizes = await tab.page.evaluate(() => {
      const size = (selector) => Number.parseFloat(getComputedStyle(document.querySelector(selector)).fontSize);
      const { scrollHeight, clientHeight } = document.documentElement;
      return { name: size(".lobby-pet-name"), status: size(".status-text"), overflow: scrollHeight - clientHeight };
    });
    assert.equal(sizes.overflow, 0);
    // Letters 2 cm high on a screen of 43 inches.
    assert.ok(sizes.name >= 56 && sizes.status >= 44, JSON.stringify(sizes));
  });
}

test("all slides take turns, unless they are paused", async (t) => {
  const store = await startStore(t, { pets: 8 });
  const tab = await openTab(t, `${store.origin}/board`);
  await tab.isLive();
  assert.deepEqual(await shown(tab), [1, 2, 3, 4]);
  await eventually(async () => assert.deepEqual(await shown(tab), [5, 6, 7, 8]), SLIDE_LIMIT_MS);
  // A pet that changed while it was not shown.
  const status = await store.changeStatus(1);
  await tab.page.mouse.move(10, 10);
  await tab.page.locator("#pause").click();
  assert.equal(await position(tab), "5–8 of 8, paused");
  await tab.page.locator("#pause").click();
  await eventually(async () => assert.deepEqual(await shown(tab), [1, 2, 3, 4]), SLIDE_LIMIT_MS);
  assert.equal(await tab.field(1, "status"), status);
  tab.assertNoProblems();
});

test("a reader who prefers no motion, or has a small screen, gets all pets on a page to scroll", async (t) => {
  const store = await startStore(t, { pets: 14 });
  for (const options of [{ reducedMotion: "reduce" }, { viewport: { width: 390, height: 844 } }]) {
    const tab = await openTab(t, `${store.origin}/board`, options);
    await tab.isLive();
    assert.equal((await shown(tab)).length, 14);
    assert.equal(await position(tab), "14 pets");
    assert.equal(await tab.page.locator("#pause").isVisible(), false);
  }
});

test("it says when it is not live, and is live again by itself", async (t) => {
  const store = await startStore(t);
  const tab = await openTab(t, `${store.origin}/board`);
  await tab.isLive();
  await store.stop("SIGKILL");
  await tab.says(/^Offline\. Showing what we knew at \d\d:\d\d\.$/);
  const size = () => tab.page.locator("#connection").evaluate((line) => Number.parseFloat(getComputedStyle(line).fontSize));
  const sizeOffline = await size();
  await store.deleteData();
  await store.start();
  await tab.isLive();
  assert.ok(sizeOffline > (await size()), "the text is larger while offline");
  assert.equal(tab.loads, 1);
});

test("after a snapshot, new pets have their profiles", async (t) => {
  const store = await startStore(t, { pets: 2 });
  const tab = await openTab(t, `${store.origin}/board`);
  await tab.isLive();
  await tab.page.context().setOffline(true);
  await store.stop("SIGKILL");
  await store.deleteData();
  // Another epoch, with more pets.
  await store.start();
  await store.api("POST", "/pets", { name: "Mossie", species: "Rabbit", breed: "Rex" });
  await tab.page.context().setOffline(false);
  await tab.isLive();
  await tab.shows(3, "name", "Mossie");
  await tab.shows(3, "species", "Rabbit");
  await tab.shows(3, "breed", "Rex");
  assert.equal(tab.loads, 1);
});

test("the screen stays on, also after the browser released the lock", async (t) => {
  const store = await startStore(t);
  const tab = await openTab(t, "about:blank");
  await tab.page.addInitScript(fakeWakeLock);
  await tab.page.goto(`${store.origin}/board`);
  const count = () => tab.page.evaluate(() => window.locks.length);
  await eventually(async () => assert.equal(await count(), 1));
  const warning = tab.page.locator("#may-sleep");
  assert.equal(await warning.isVisible(), false);
  await tab.page.evaluate(() => window.locks[0].dispatchEvent(new Event("release")));
  assert.equal(await warning.isVisible(), true);
  await tab.page.evaluate(() => document.dispatchEvent(new Event("visibilitychange")));
  await eventually(async () => assert.equal(await warning.isVisible(), false));
  assert.equal(await count(), 2);
});

test("pointer and controls disappear while nobody uses them, and not from under a keyboard", async (t) => {
  const store = await startStore(t);
  const tab = await openTab(t, `${store.origin}/board`);
  const isIdle = () => tab.page.locator("body[data-idle]").count();
  const controls = tab.page.locator("#controls");
  const opacity = () => controls.evaluate((element) => getComputedStyle(element).opacity);
  await eventually(async () => assert.equal(await isIdle(), 1));
  assert.equal(await tab.page.evaluate(() => getComputedStyle(document.body).cursor), "none");
  assert.equal(await opacity(), "0");
  await tab.page.mouse.move(20, 20);
  await eventually(async () => assert.equal(await isIdle(), 0));
  await eventually(async () => assert.equal(await isIdle(), 1));
  await tab.page.keyboard.press("Tab");
  await eventually(async () => assert.equal(await opacity(), "1"));
  await tab.page.locator('#controls a[href$="/pets"]').press("Enter");
  await eventually(() => tab.path === "/pets");
});

test("without JavaScript it leads from slide to slide", async (t) => {
  const store = await startStore(t, { pets: 8 });
  const tab = await openTab(t, `${store.origin}/board?slide=2`, { javaScriptEnabled: false });
  assert.deepEqual(await tab.page.locator("h2").allTextContents(), ["Waffles", "Maple", "No pets yet"]);
  assert.match(await tab.line(), /^As of \d\d:\d\d UTC\. This page refreshes itself\.$/);
  await tab.page.waitForURL("**/board?slide=1", { timeout: 20_000 + LIMIT_MS });
  assert.equal(await tab.page.locator(".lobby-pet").count(), 6);
});

test("with JavaScript the address of a slide leads to the whole screen", async (t) => {
  const store = await startStore(t, { pets: 8 });
  const tab = await openTab(t, `${store.origin}/board?slide=2`);
  await tab.page.waitForURL("**/board");
  await tab.isLive();
  assert.equal(await tab.page.locator(".lobby-pet").count(), 8);
});
