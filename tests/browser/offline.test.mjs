/** The board without a network: the service worker shows the last one, stores nothing of staff, and leaves live routes alone. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { BASE_PATH, sitePath } from "./support/below.mjs";
import { eventually, openTab, startRescueWithPets } from "./support/browser.mjs";
import { startProxy } from "./support/proxy.mjs";
import { openWindow } from "./support/window.mjs";

const PASSWORD = "four words are enough";

/** Returns what the worker has stored: texts by path; "" for pictures. */
const stored = (tab) =>
  tab.page.evaluate(async (basePath) => {
    const found = {};
    for (const name of await caches.keys()) {
      const cache = await caches.open(name);
      for (const { url } of await cache.keys()) {
        const { pathname, search } = new URL(url);
        const path = pathname.slice(basePath.length) + search;
        found[path] = /\.(jpg|svg)$/.test(path) ? "" : await (await cache.match(url)).text();
      }
    }
    return found;
  }, BASE_PATH);

/** Waits until the worker has stored the board, as of another time than `before`. Returns all that it has stored. */
const keeps = (tab, before) =>
  eventually(async () => {
    const found = await stored(tab);
    return found["/pets"] && found["/offline"] && found["/pets"] !== before ? found : false;
  });

/** Signs in as the first admin. */
async function signUp(t, link, origin) {
  const tab = await openTab(t, new URL(new URL(link).pathname, origin).href);
  await tab.page.locator("#name").fill("anna");
  await tab.page.locator("#password").fill(PASSWORD);
  await tab.page.locator("#again").fill(PASSWORD);
  await tab.send('main button[type="submit"]');
  return tab;
}

const OFFLINE = /^Offline\. Showing what we knew at \d\d:\d\d\.$/;

test("a visitor sees the last board without a network, and is live again with one", async (t) => {
  const { store, link } = await startRescueWithPets(t);
  const [proxy, anna] = [await startProxy(t, store.origin), await signUp(t, link, store.origin)];
  // A profile that is not private, which alone can install the board.
  const window = await openWindow(t);
  const tab = await window.openTab(`${proxy.origin}/pets`);
  await tab.isLive();
  const first = await keeps(tab);
  // All that is stored comes from the browser's cache, but for the page that nobody has opened.
  const asked = proxy.asked.filter((path) => !path.startsWith("/live/"));
  assert.deepEqual(asked.filter((path, place) => asked.indexOf(path) !== place), [], "nothing is requested twice");
  assert.ok(Object.keys(first).every((path) => /^\/(pets|pets\?seen|offline|(assets|photos)\/.*)$/.test(path)), Object.keys(first).join());
  const devtools = await tab.page.context().newCDPSession(tab.page);
  assert.deepEqual(await devtools.send("Page.getInstallabilityErrors"), { installabilityErrors: [] });

  await anna.page.goto(`${store.origin}/pets`);
  const isEating = (await tab.field(4, "status")) === "Eating";
  await anna.page.locator(`[data-pet="4"] button[value="${isEating ? "playing" : "eating"}"]`).click();
  const status = isEating ? "Playing" : "Eating";
  await tab.shows(4, "status", status);
  await eventually(async () => assert.match((await stored(tab))["/pets?seen"] ?? "", new RegExp(`"id":"4"[^}]*"${status.toLowerCase()}"`)));

  proxy.cut();
  await tab.page.reload();
  await tab.says(OFFLINE);
  const asOf = Date.parse(await tab.page.locator("body").getAttribute("data-seen"));
  assert.ok(Math.abs(Date.now() - asOf) < 60_000, "when the reader saw it");
  assert.equal(await tab.page.locator("body").getAttribute("data-freshness"), "stale");
  await tab.shows(4, "status", status);
  const cards = await tab.page.locator("#pets img").evaluateAll((images) => images.map(({ naturalWidth }) => naturalWidth));
  assert.ok(cards.length > 0 && cards[0] > 0, "photos are stored too");
  assert.equal(await tab.page.locator(".masthead").evaluate((head) => getComputedStyle(head).display), "flex");

  // Live routes, the screen in the lobby and the API are as if there were no worker.
  for (const path of ["/live/state", "/live/poll?wait=0", "/api/v1/pets"]) {
    const result = await tab.page.evaluate((path) => fetch(path).then(() => "answered", () => "failed"), BASE_PATH + path);
    assert.equal(result, "failed", path);
  }
  const lobby = await tab.page.context().newPage();
  await assert.rejects(lobby.goto(`${proxy.origin}/board`), /ERR_/);
  await lobby.close();

  proxy.mend();
  await tab.isLive();
  await anna.page.locator('[data-pet="4"] button[value="bathing"]').click();
  await tab.shows(4, "status", "Bathing");
  const answers = [];
  tab.page.on("response", (response) => answers.push({ path: sitePath(response.url()), isOfWorker: response.fromServiceWorker() }));
  await tab.page.reload();
  await tab.isLive();
  assert.equal(await tab.page.locator("body").getAttribute("data-seen"), null);
  const live = answers.filter(({ path }) => path.startsWith("/live/"));
  assert.ok(live.length > 0 && live.every(({ isOfWorker }) => !isOfWorker), JSON.stringify(live));
  assert.ok(answers.some(({ path, isOfWorker }) => path.endsWith("/visitor.js") && isOfWorker), "the worker answers for files");

  proxy.cut();
  await tab.page.goto(`${proxy.origin}/pets/4`);
  assert.equal(await tab.page.locator("h1").textContent(), "You seem to be offline");
  assert.match(await tab.page.locator("main .button-main").textContent(), /^See the board as of \d\d:\d\d$/);
  await tab.send("main .button-main");
  await tab.says(OFFLINE);
  await tab.page.goto(`${proxy.origin}/pets/4`);
  proxy.mend();
  await tab.page.waitForFunction(() => document.body.dataset.page === "show");
});

test("nothing of staff is stored, and the operator can remove the worker", async (t) => {
  let proxy;
  // Staff write through the proxy, so that is the public address.
  const { store, link } = await startRescueWithPets(t, async ({ origin }) => {
    proxy = await startProxy(t, origin);
    return { "base-url": proxy.origin };
  });
  const anna = await signUp(t, link, proxy.origin);
  await anna.page.goto(`${proxy.origin}/pets/2/edit`);
  await anna.page.locator('[name="state"][value="private"]').check();
  await anna.send('button:text("Save")');
  const name = await anna.page.locator("h1").innerText();
  await anna.page.goto(`${proxy.origin}/pets`);
  await anna.isLive();
  await anna.page.waitForFunction((name) => document.body.innerText.includes(name), name);
  let before;
  const assertPublic = async () => {
    const found = await keeps(anna, before);
    before = found["/pets"];
    for (const [path, text] of Object.entries(found)) {
      assert.doesNotMatch(path, /account|audit|settings|staff\./);
      if (path.endsWith(".js") || path.endsWith(".css")) continue;
      assert.ok(!text.includes(name) && !/anna|data-personal|formaction|form-token|name="token"|Activity log/.test(text), path);
    }
  };
  await assertPublic();
  for (const path of ["/account", "/audit", "/settings", "/pets/2/history", "/pets/1"]) await anna.page.goto(`${proxy.origin}${path}`);
  await anna.page.goto(`${proxy.origin}/pets`);
  await assertPublic();

  proxy.cut();
  await anna.page.goto(`${proxy.origin}/account`);
  assert.equal(await anna.page.locator("h1").textContent(), "You seem to be offline");
  await anna.page.goto(`${proxy.origin}/pets`);
  await anna.says(OFFLINE);
  assert.equal(await anna.page.locator("#pets button").count(), 0, "the board of visitors");
  proxy.mend();

  await anna.page.goto(`${proxy.origin}/account`);
  await anna.send('button:text("Sign out")');
  await anna.page.goto(`${proxy.origin}/pets`);
  await assertPublic();

  await store.stop("SIGTERM");
  store.become("serve", { "base-url": proxy.origin, "service-worker": "off" });
  await store.start();
  await anna.page.goto(`${proxy.origin}/pets`);
  const left = () => anna.page.evaluate(async () => [(await navigator.serviceWorker.getRegistrations()).length, (await caches.keys()).length]);
  await eventually(async () => assert.deepEqual(await left(), [0, 0]));
});
