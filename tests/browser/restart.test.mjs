/**
 * Pages that stay open while the program or the network goes away. Each test mostly waits, so they run concurrently.
 */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { startProxy } from "./support/proxy.mjs";
import { clockAt, eventually, openTab, startStore } from "./support/browser.mjs";

const BERLIN = "Europe/Berlin";
const OFFLINE = /^Offline\. Showing what we knew at \d\d:\d\d\.$/;


/** On a busy machine SSE may win the race. With these heartbeats the page is upgraded to WebSocket soon. */
const OFTEN = { heartbeat: "2s" };

describe("a page that stays open", { concurrency: true }, () => {
  for (const [signal, how] of [
    ["SIGTERM", "is stopped"],
    ["SIGKILL", "is killed"],
  ]) {
    test(`reconnects when the program ${how} and started again on its data`, async (t) => {
      const store = await startStore(t, OFTEN);
      const tab = await openTab(t, `${store.origin}/pets`);
      await tab.isLive();
      await store.stop(signal);
      await tab.says(OFFLINE);
      await store.start();
      await tab.isLive("ws");
      await tab.shows(5, "status", await store.changeStatus(5));
      assert.equal(tab.loads, 1);
    });

    test(`shows what it missed while the program ${how} and the network was down`, async (t) => {
      const store = await startStore(t, OFTEN);
      const proxy = await startProxy(t, store.origin);
      const tab = await openTab(t, `${proxy.origin}/pets`);
      await tab.isLive();
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
      await tab.isLive("ws");
      assert.equal(tab.loads, 1);
    });
  }

  test("shows the other epoch when the program restarts with another store", async (t) => {
    const store = await startStore(t);
    const tab = await openTab(t, `${store.origin}/pets`);
    await tab.isLive();
    const { name } = await store.api("GET", "/pets/1");
    await store.api("PATCH", "/pets/1", { name: "Only in the first" });
    const { id } = await store.api("POST", "/pets", { name: "Also", species: "Cat" });
    await tab.shows(id, "name", "Also");
    await store.stop("SIGTERM");
    await store.deleteData();
    await store.start();
    await tab.shows(1, "name", name);
    assert.equal(await tab.pet(id).count(), 0);
    await tab.shows(2, "status", await store.changeStatus(2));
    assert.equal(tab.loads, 1);
  });

  test("says that it is offline, and since when, in the status, on the pets and in the title", async (t) => {
    const store = await startStore(t);
    const tab = await openTab(t, `${store.origin}/pets`, { timezoneId: BERLIN });
    await tab.isLive();
    const look = () =>
      tab.pet(1).evaluate((card) => ({
        colour: getComputedStyle(card).backgroundColor,
        word: getComputedStyle(card.querySelector(".status-text"), "::after").content,
        state: document.querySelector("#connection").dataset.state,
        freshness: document.body.dataset.freshness,
        title: document.title,
      }));
    const before = await look();
    const heard = Date.now();
    await store.stop("SIGKILL");
    await tab.says(OFFLINE);
    const [, since] = /(\d\d:\d\d)/.exec(await tab.line());
    const possible = [clockAt(BERLIN, heard - 60_000), clockAt(BERLIN, heard)];
    assert.ok(possible.includes(since), `${since} is the time of the last message`);
    // The colour changes in a transition.
    await eventually(async () => assert.notEqual((await look()).colour, before.colour));
    const { colour: _colour, ...offline } = await look();
    assert.deepEqual(offline, {
      word: '"last known"',
      state: "offline",
      freshness: "stale",
      title: "(offline) Pets · Sample Rescue",
    });
    const announcer = tab.page.locator("#announcer");
    await eventually(async () => assert.match(await announcer.textContent(), OFFLINE));

    await store.start();
    await tab.isLive();
    await eventually(async () => assert.deepEqual(await look(), before));
    await eventually(async () => assert.match(await announcer.textContent(), /^(Live|Connected) again\./));
  });

  test("removes the prefix of its title when it is back, also if the pet was renamed meanwhile", async (t) => {
    const store = await startStore(t);
    const tab = await openTab(t, `${store.origin}/pets/1`);
    await tab.isLive();
    await store.stop("SIGTERM");
    await tab.says(OFFLINE);
    assert.match(await tab.page.title(), /^\(offline\) .+ · Sample Rescue$/);
    await store.start();
    await store.api("PATCH", "/pets/1", { name: "Renamed" });
    await eventually(async () => assert.equal(await tab.page.title(), "Renamed · Sample Rescue"));
  });

  test("is offline when its connection goes silent, and opens a new one", async (t) => {
    const store = await startStore(t, { heartbeat: "1s" });
    const proxy = await startProxy(t, store.origin);
    const tab = await openTab(t, `${proxy.origin}/pets`);
    await tab.isLive();
    proxy.freeze();
    await tab.says(OFFLINE);
    const status = await store.changeStatus(1);
    proxy.thaw();
    await tab.shows(1, "status", status);
    await tab.isLive("ws");
  });
});
