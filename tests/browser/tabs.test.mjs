/** Tabs of one browser share one live connection, whichever tab leads, and whatever happens to it. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ONLY, startProxy } from "./support/proxy.mjs";
import { eventually, openTab, startStore, statusText, Tab } from "./support/browser.mjs";
import { openWindow } from "./support/window.mjs";

const TABS = 7;

/** Short, so that silence is detected soon, and long enough for a busy machine. */
const HEARTBEAT_MS = 4_000;

/** Time in which a tab connects, and shows a change, on a busy machine. */
const CONNECT_MS = 2_000;

/** Time until a leader that is silent from now on is replaced, four seconds after its next heartbeat is due. */
const TAKEOVER_MS = HEARTBEAT_MS + 4_000 + CONNECT_MS;

/** Number of viewers by transport, from the server's metrics. */
async function viewers(store) {
  const text = await (await fetch(`${store.origin}/metrics`)).text();
  const counts = text.matchAll(/^petstore_viewers\{transport="(\w+)"\} ([1-9]\d*)$/gm);
  return Object.fromEntries([...counts].map(([, transport, count]) => [transport, Number(count)]));
}

const assertViewers = (store, expected) => eventually(async () => assert.deepEqual(await viewers(store), expected));

/** Opens tabs; the first one leads. */
async function openTabs(t, origin, paths, transport) {
  const [first, ...others] = paths;
  const leader = await openTab(t, origin + first);
  await leader.isLive(transport);
  const followers = [];
  for (const path of others) followers.push(await leader.openAnother(origin + path));
  for (const tab of followers) await tab.isLive(transport);
  return { leader, followers, tabs: [leader, ...followers] };
}

/** Checks that every tab receives two changes. */
async function assertAllFollow(store, tabs, pet = 1) {
  for (let round = 0; round < 2; round += 1) {
    const status = await store.changeStatus(pet);
    await Promise.all(tabs.map((tab) => receives(tab, pet, status)));
  }
}

/** Waits until a tab shows a status. A hidden tab draws only when it is visible again, and must have received it. */
function receives(tab, pet, status) {
  return eventually(async () => {
    const received = await tab.page.evaluate((id) => document.hidden && globalThis.statuses?.[id], pet);
    assert.equal(received ? statusText(received) : await tab.field(pet, "status"), status);
  });
}

/** Runs in a page: records the newest status of each pet. */
function recordStatuses() {
  globalThis.statuses = {};
  addEventListener("petstore:change", ({ detail }) => (globalThis.statuses[detail.pet] = detail.status), true);
}

/** Measures how long it takes until every tab shows the next change, in ms. */
async function timeToNextChange(store, tabs) {
  const began = Date.now();
  const status = await store.changeStatus(1);
  await Promise.all(tabs.map((tab) => receives(tab, 1, status)));
  return Date.now() - began;
}

/** Records the messages of every WebSocket of a page. @param {import("playwright-core").Page} page */
function recordFrames(page) {
  const frames = [];
  page.on("websocket", (socket) => socket.on("framereceived", ({ payload }) => frames.push(JSON.parse(String(payload)))));
  return frames;
}

/** Returns the pets of the changes among these messages. */
const ofPets = (frames) => frames.filter(({ type }) => type === "status").map(({ pet }) => pet);

const index = (count) => Array(count).fill("/pets");

describe("tabs of one browser", { concurrency: 3 }, () => {
  test("seven tabs, of the index, of one pet and of the hello page, share one WebSocket", async (t) => {
    const store = await startStore(t);
    // Polls pass: a page asks once at its start, and a response that is held would be an error in the console.
    const proxy = await startProxy(t, store.origin, { ...ONLY.ws, polls: "pass" });
    const paths = [...index(3), "/pets/1", "/pets/1"];
    const { leader, tabs } = await openTabs(t, proxy.origin, paths, "ws");
    tabs.push(await leader.openAnother(`${proxy.origin}/pets/2`));
    const hello = await leader.openAnother(`${proxy.origin}/hello`);
    await eventually(async () =>
      assert.equal(await hello.page.locator("#hello-transport").textContent(), "WebSocket"),
    );
    await assertViewers(store, { ws: 1 });
    await assertAllFollow(store, tabs.slice(0, 5));
    await tabs[5].shows(2, "status", await store.changeStatus(2));
    // On a busy machine polling may be first, and WebSocket is tried again later.
    const dials = proxy.asked.filter((path) => path === "/live/ws").length;
    assert.ok(dials <= 2, `${dials} WebSockets for seven tabs`);
    for (const tab of [...tabs, hello]) tab.assertNoProblems();
  });

  test("seven tabs share one SSE stream, and pages and forms still answer", async (t) => {
    const store = await startStore(t);
    const proxy = await startProxy(t, store.origin, ONLY.sse);
    const { leader, tabs } = await openTabs(t, proxy.origin, index(TABS), "sse");
    await assertViewers(store, { sse: 1 });
    await assertAllFollow(store, tabs);
    const form = await leader.openAnother(`${proxy.origin}/pets/new`);
    await form.fill({ name: "Eighth", species: "Cat" });
    await form.send("main form button");
    await form.isLive("sse");
    const id = form.path.split("/").pop();
    for (const tab of tabs) await tab.shows(id, "name", "Eighth");
    await assertViewers(store, { sse: 1 });
  });

  test("tabs of one pet receive its changes only, and a wider connection replaces theirs when an index joins", async (t) => {
    const store = await startStore(t);
    const proxy = await startProxy(t, store.origin, ONLY.ws);
    const blank = await openTab(t, "about:blank");
    const show = await blank.page.context().newPage();
    const frames = recordFrames(show);
    await show.goto(`${proxy.origin}/pets/1`);
    const first = new Tab(show);
    await first.isLive("ws");
    const second = await blank.openAnother(`${proxy.origin}/pets/1`);
    await second.isLive("ws");
    for (let i = 0; i < 40; i += 1) await store.changeStatus(2 + (i % 5));
    await assertAllFollow(store, [first, second]);
    assert.deepEqual(ofPets(frames), [1, 1], "two changes of this pet, and none of forty others");

    let isOpen = false;
    const changes = (async () => {
      for (let i = 0; !isOpen || i % 6 !== 0; i += 1) await store.changeStatus(1 + (i % 6));
    })();
    const index = await blank.openAnother(`${proxy.origin}/pets`);
    await index.isLive("ws");
    isOpen = true;
    await changes;
    for (let pet = 1; pet <= 6; pet += 1) {
      const { status } = await store.api("GET", `/pets/${pet}`);
      await index.shows(pet, "status", statusText(status));
    }
    await assertViewers(store, { ws: 1 });
    await assertAllFollow(store, [first, second, index]);
    await index.shows(5, "status", await store.changeStatus(5));
    assert.ok(ofPets(frames).includes(5), "over the connection of the first tab");
    assert.equal(second.loads + index.loads, 2);
  });

  test("a page that joins late shows what changed since it was rendered", async (t) => {
    const store = await startStore(t);
    const { leader } = await openTabs(t, store.origin, index(1));
    let release = () => {};
    const isReleased = new Promise((resolve) => (release = resolve));
    const context = leader.page.context();
    await context.route("**/demo.js", async (route) => (await isReleased, route.continue()));
    const late = await context.newPage();
    await late.goto(`${store.origin}/pets`, { waitUntil: "commit" });
    await late.locator('[data-pet="6"]').waitFor();
    const status = await store.changeStatus(6);
    release();
    await late.locator('[data-pet="6"] [data-field="status"]', { hasText: status }).first().waitFor();
  });

  for (const [how, end] of [
    ["is closed", (tab) => tab.page.close()],
    ["goes to another page", (tab) => tab.page.goto("about:blank")],
    ["crashes", crash],
  ]) {
    test(`when the leading tab ${how}, another one connects immediately`, async (t) => {
      const store = await startStore(t);
      const { leader, followers } = await openTabs(t, store.origin, index(4));
      await end(leader);
      const tookMs = await timeToNextChange(store, followers);
      assert.ok(tookMs < TAKEOVER_MS, `${tookMs} ms`);
      await eventually(async () => assert.equal(total(await viewers(store)), 1));
      await assertAllFollow(store, followers);
    });
  }

  test("after a restart of the program all tabs share one connection again", async (t) => {
    const store = await startStore(t);
    const { tabs } = await openTabs(t, store.origin, index(4));
    await store.stop("SIGKILL");
    for (const tab of tabs) await tab.says(/^Offline/);
    await store.start();
    for (const tab of tabs) await tab.isLive();
    await assertAllFollow(store, tabs);
    // The server counts the transport that lost the race until it is closed.
    await eventually(async () => assert.equal(total(await viewers(store)), 1));
  });

  test("tabs share one connection also without Web Locks", async (t) => {
    const store = await startStore(t);
    const first = await openTab(t, "about:blank");
    await first.page.context().addInitScript(() => Object.defineProperty(navigator, "locks", { value: undefined }));
    const tabs = [await first.openAnother(`${store.origin}/pets`), await first.openAnother(`${store.origin}/pets/1`)];
    for (const tab of tabs) await tab.isLive();
    await assertAllFollow(store, tabs);
    // The server counts the transport that lost the race until it is closed.
    await eventually(async () => assert.equal(total(await viewers(store)), 1));
  });
});

describe("a tab in the background", { concurrency: 3 }, () => {
  test("hands the lead over when the browser freezes it, and follows when it is resumed", async (t) => {
    const store = await startStore(t);
    const { leader, followers, freeze } = await openHidden(t, store);
    const thaw = await freeze();
    const tookMs = await timeToNextChange(store, followers);
    assert.ok(tookMs < HEARTBEAT_MS, `${tookMs} ms`);
    await eventually(async () => assert.equal(total(await viewers(store)), 1));
    await thaw();
    await assertAllFollow(store, [leader, ...followers]);
    assert.equal(total(await viewers(store)), 1);
    for (const tab of [leader, ...followers]) tab.assertNoProblems();
  });

  test("that is stopped silently is replaced four seconds after a heartbeat is due", async (t) => {
    const store = await startStore(t, { heartbeat: `${HEARTBEAT_MS}ms` });
    const deaf = () => addEventListener("freeze", (event) => event.stopImmediatePropagation(), true);
    const { leader, followers, freeze } = await openHidden(t, store, deaf);
    const thaw = await freeze();
    const tookMs = await timeToNextChange(store, followers);
    t.diagnostic(`live again after ${tookMs} ms, with a heartbeat of ${HEARTBEAT_MS} ms`);
    assert.ok(tookMs <= TAKEOVER_MS, `${tookMs} ms`);
    await thaw();
    await assertAllFollow(store, [leader, ...followers]);
    // The server counts the connection of the stopped tab until it is closed.
    await eventually(async () => assert.equal(total(await viewers(store)), 1));
    for (const tab of followers) tab.assertNoProblems();
  });

  test("that is left for another page is cached, and shows what it missed when the reader goes back", async (t) => {
    const store = await startStore(t);
    const window = await openWindow(t);
    const tab = await window.openTab(`${store.origin}/pets`);
    await tab.isLive();
    await tab.page.evaluate(() => (globalThis.mark = "kept"));
    await tab.page.goto(`${store.origin}/pets/new`);
    const other = await window.openTab(`${store.origin}/pets`);
    await other.isLive();
    await assertAllFollow(store, [other], 3);
    const status = await store.changeStatus(3);
    await tab.page.bringToFront();
    // A cached page is not loaded again.
    await tab.page.goBack({ waitUntil: "commit" });
    await tab.shows(3, "status", status);
    const why = () => JSON.stringify(performance.getEntriesByType("navigation")[0].notRestoredReasons);
    assert.equal(await tab.page.evaluate(() => globalThis.mark), "kept", await tab.page.evaluate(why));
    assert.equal(total(await viewers(store)), 1);
  });
});

/** Opens tabs; the first one leads, and is hidden behind the others. */
async function openHidden(t, store, script) {
  const window = await openWindow(t);
  const tabs = [];
  for (let i = 0; i < 4; i += 1) {
    const tab = await window.openTab("about:blank", recordStatuses);
    if (script && i === 0) await tab.page.addInitScript(script);
    await tab.page.goto(`${store.origin}/pets`);
    await tab.isLive();
    tabs.push(tab);
  }
  const [leader, ...followers] = tabs;
  assert.equal(await leader.page.evaluate(() => document.visibilityState), "hidden");
  return { leader, followers, freeze: () => window.freeze(leader) };
}

const total = (counts) => Object.values(counts).reduce((sum, count) => sum + count, 0);

async function crash(tab) {
  const devtools = await tab.page.context().newCDPSession(tab.page);
  const isGone = new Promise((resolve) => tab.page.once("crash", resolve));
  // Never answered: the page is stopped.
  devtools.send("Page.crash").catch(() => {});
  await isGone;
}
