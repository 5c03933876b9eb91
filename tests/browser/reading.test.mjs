/**
 * Reading the page: it pauses on request, keeps the focus, respects reduced motion, and shows local times.
 */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { clockAt, eventually, openTab, startStore } from "./support/browser.mjs";

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

  for (const [reducedMotion, animation] of [
    ["reduce", "none"],
    ["no-preference", "seam"],
  ]) {
    const isReduced = reducedMotion === "reduce";
    const fact = isReduced ? "nothing moves for who asked for less motion" : "a quiet animation marks a change";
    test(fact, async (t) => {
      const { store, tab } = await openLive(t, "/pets", { reducedMotion });
      await store.changeStatus(1);
      const moving = await eventually(() =>
        tab.pet(1).evaluate((card) => {
          if (!card.classList.contains("changed")) return false;
          const { animationName } = getComputedStyle(card, "::before");
          const running = document.getAnimations().map((one) => one.animationName ?? one.transitionProperty);
          return { animationName, running };
        }),
      );
      assert.equal(moving.animationName, animation);
      if (isReduced) assert.deepEqual(moving.running, []);
      await eventually(async () => !(await tab.pet(1).evaluate((card) => card.classList.contains("changed"))));
    });
  }

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
      assert.equal(await tab.pet(1).locator("time").getAttribute("datetime"), since);
    });
  }
});
