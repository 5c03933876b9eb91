/**
 * Reading the page: it pauses on request, keeps the focus, respects reduced motion, and shows local times.
 */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { clockAt, eventually, openTab, startStore } from "../support/browser.mjs";

async function openLive(t, path, options, flags) {
  const store = await startStore(t, flags);
  const tab = await openTab(t, `${store.origin}${path}`, options);
  await tab.isLive();
  return { store, tab };
}

/** Counts the changes that the page has received, drawn or not. */
async function countChanges(tab) {
  await tab.page.evaluate(() => {
    globalThis.heard = 0;
    document.addEventListener("petstore:change", () => (globalThis.heard += 1));
  });
  return (count) => eventually(async () => assert.equal(await tab.page.evaluate(() => globalThis.heard), count));
}

describe("reading the page", { concurrency: 3 }, () => {
  test("Pause holds the page still while changes arrive, and Resume shows the net result", async (t) => {
    const { store, tab } = await openLive(t, "/pets");
    const heard = await countChanges(tab);
    const pause = tab.page.locator("#pause");
    const cards = tab.page.locator("#pets");
    await pause.click();
    assert.match(await tab.line(), /^Paused\. Showing what we knew at \d\d:\d\d\.$/);
    assert.deepEqual([await pause.textContent(), await pause.getAttribute("aria-pressed")], ["Resume", "true"]);

    const before = await cards.innerHTML();
    await store.changeStatus(1);
    const last = await store.changeStatus(1);
    await store.api("PATCH", "/pets/2", { name: "Renamed" });
    await store.api("DELETE", "/pets/3");
    await heard(4);
    assert.equal(await cards.innerHTML(), before);
    assert.match(await tab.line(), /^Paused/);

    await pause.click();
    await tab.shows(1, "status", last);
    await tab.shows(2, "name", "Renamed");
    assert.equal(await tab.pet(3).count(), 0);
    await tab.isLive();
    assert.deepEqual([await pause.textContent(), await pause.getAttribute("aria-pressed")], ["Pause", "false"]);
  });

  for (const reducedMotion of /** @type {const} */ (["reduce", "no-preference"])) {
    const isReduced = reducedMotion === "reduce";
    const fact = isReduced ? "nothing moves for readers who asked for less motion" : "the mark of a change appears and goes without moving";
    test(fact, async (t) => {
      const { store, tab } = await openLive(t, "/pets", { reducedMotion });
      const status = await store.changeStatus(1);
      await tab.shows(1, "status", status);
      // Text and background change in the same frame: the background does not fade.
      const moving = () => document.getAnimations().map(({ transitionProperty, animationName }) => transitionProperty ?? animationName);
      assert.equal(await tab.pet(1).evaluate((card) => getComputedStyle(card, "::after").opacity), "1");
      assert.deepEqual(await tab.page.evaluate(moving), []);
      const atEnd = await tab.pet(1).evaluate(
        (card) =>
          new Promise((resolve) => {
            const look = () => document.getAnimations().map(({ transitionProperty, animationName }) => transitionProperty ?? animationName);
            const observer = new MutationObserver(() => !card.classList.contains("changed") && (observer.disconnect(), resolve(look())));
            observer.observe(card, { attributeFilter: ["class"] });
          }),
      );
      assert.deepEqual(atEnd, []);
    });
  }

  test("a full page of pets draws those in view, and the others when they are scrolled to", async (t) => {
    const { store, tab } = await openLive(t, "/pets", {}, { pets: 200 });
    const first = await tab.pet(1).evaluate((card) => card.checkVisibility({ contentVisibilityAuto: true }));
    const last = await tab.pet(48).evaluate((card) => card.querySelector(".status").checkVisibility({ contentVisibilityAuto: true }));
    assert.deepEqual([first, last], [true, false]);
    const status = await store.changeStatus(48);
    await tab.pet(48).scrollIntoViewIfNeeded();
    await tab.shows(48, "status", status);
    const unseen = await store.changeStatus(1);
    await tab.shows(1, "status", unseen);
  });

  test("the focus stays when its pet changes, and moves to the neighbour when the pet is removed", async (t) => {
    const { store, tab } = await openLive(t, "/pets");
    const link = (id) => tab.pet(id).locator("a[data-link]");
    const isFocused = (locator) => locator.evaluate((element) => element === document.activeElement);
    await link(2).focus();
    const kept = await link(2).elementHandle();
    await tab.shows(2, "status", await store.changeStatus(2));
    await store.api("PATCH", "/pets/2", { name: "Renamed" });
    await tab.shows(2, "name", "Renamed");
    assert.equal(await isFocused(kept), true);

    await store.api("DELETE", "/pets/2");
    await eventually(async () => (await tab.pet(2).count()) === 0);
    assert.equal(await isFocused(link(3)), true);
  });

  test("a change is announced once, politely", async (t) => {
    const { store, tab } = await openLive(t, "/pets");
    const { name } = await store.api("GET", "/pets/1");
    const status = await store.changeStatus(1);
    const announcer = tab.page.locator("#announcer");
    await eventually(async () => assert.equal(await announcer.textContent(), `${name} is now ${status.toLowerCase()}.`));
    assert.equal(await announcer.getAttribute("aria-live"), "polite");
  });

  for (const timezoneId of ["Europe/Berlin", "Asia/Kathmandu"]) {
    test(`times are in the time zone ${timezoneId}, also after a live change`, async (t) => {
      const { store, tab } = await openLive(t, "/pets", { timezoneId });
      const assertLocal = async (id) => {
        const time = tab.pet(id).locator("time[data-since]");
        assert.equal(await time.textContent(), clockAt(timezoneId, await time.getAttribute("datetime")));
      };
      for (const id of [1, 2, 3, 4, 5, 6]) await assertLocal(id);
      await tab.shows(1, "status", await store.changeStatus(1));
      await assertLocal(1);
      const { since } = await store.api("GET", "/pets/1");
      assert.equal(await tab.pet(1).locator("time").getAttribute("data-since"), since);
    });
  }
});
