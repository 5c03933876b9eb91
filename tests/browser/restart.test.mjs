/**
 * Pages that stay open while the program or the network goes away. Each test waits more than it works, so they run
 * side by side.
 */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { startProxy } from "./proxy.mjs";
import { clockAt, openTab, startStore } from "./support.mjs";

const BERLIN = "Europe/Berlin";

describe("a page that stays open", { concurrency: true }, () => {
  for (const [signal, how] of [
    ["SIGTERM", "is stopped"],
    ["SIGKILL", "is killed"],
  ]) {
    test(`comes back by itself when the program ${how} and started again on its data`, async (t) => {
      const store = await startStore(t);
      const tab = await openTab(t, `${store.origin}/pets`);
      await tab.saysOfItself(/^Live over/);
      await store.stop(signal);
      await tab.saysOfItself(/^Offline, as of \d\d:\d\d$/);
      await store.start();
      await tab.saysOfItself(/^Live over/);
      await tab.shows(5, "status", await store.changeStatus(5));
      assert.equal(tab.loads, 1);
    });

    test(`shows what it missed while the program ${how} and the network was away`, async (t) => {
      const store = await startStore(t);
      const proxy = await startProxy(t, store.origin);
      const tab = await openTab(t, `${proxy.origin}/pets`);
      await tab.saysOfItself(/^Live over/);
      await store.changeStatus(1);

      proxy.cut();
      await store.stop(signal);
      await store.start();
      const missed = await store.changeStatus(1);
      await store.api("PATCH", "/pets/2", { name: "Renamed meanwhile" });
      await store.api("DELETE", "/pets/3");
      const { id } = await store.api("POST", "/pets", { name: "Born meanwhile", species: "Cat" });
      proxy.mend();

      await tab.shows(1, "status", missed);
      await tab.shows(2, "name", "Renamed meanwhile");
      await tab.shows(id, "name", "Born meanwhile");
      assert.equal(await tab.pet(3).count(), 0);
      await tab.saysOfItself(/^(Live over|Polling)/);
      assert.equal(tab.loads, 1);
    });
  }

  test("shows a store with another history as it is, once the program comes back with one", async (t) => {
    const store = await startStore(t);
    const tab = await openTab(t, `${store.origin}/pets`);
    await tab.saysOfItself(/^Live over/);
    const { name } = await store.api("GET", "/pets/1");
    await store.api("PATCH", "/pets/1", { name: "Only in the first" });
    const { id } = await store.api("POST", "/pets", { name: "Also", species: "Cat" });
    await tab.shows(id, "name", "Also");
    await store.stop("SIGTERM");
    await store.forget();
    await store.start();
    await tab.shows(1, "name", name);
    assert.equal(await tab.pet(id).count(), 0);
    await tab.shows(2, "status", await store.changeStatus(2));
    assert.equal(tab.loads, 1);
  });

  test("says offline and as of when, and lets the colours go, once the program is gone", async (t) => {
    const store = await startStore(t);
    const tab = await openTab(t, `${store.origin}/pets`, { timezoneId: BERLIN });
    await tab.saysOfItself(/^Live over/);
    const colour = () => tab.pet(1).evaluate((card) => getComputedStyle(card).backgroundColor);
    const before = await colour();
    const heard = Date.now();
    await store.stop("SIGKILL");
    await tab.saysOfItself(/^Offline, as of \d\d:\d\d$/);
    const [, asOf] = /(\d\d:\d\d)$/.exec(await tab.line());
    const possible = [clockAt(BERLIN, heard - 60_000), clockAt(BERLIN, heard)];
    assert.ok(possible.includes(asOf), `${asOf} is when it was last heard`);
    assert.notEqual(await colour(), before);
    assert.equal(await tab.page.locator("#connection").getAttribute("data-state"), "offline");
  });

  test("says offline when its connection goes silent, and leaves it for a new one", async (t) => {
    const store = await startStore(t, { heartbeat: "1s" });
    const proxy = await startProxy(t, store.origin);
    const tab = await openTab(t, `${proxy.origin}/pets`);
    await tab.saysOfItself(/^Live over/);
    proxy.freeze();
    await tab.saysOfItself(/^Offline, as of/);
    const status = await store.changeStatus(1);
    proxy.thaw();
    await tab.shows(1, "status", status);
    await tab.saysOfItself(/^(Live over|Polling)/);
  });
});
