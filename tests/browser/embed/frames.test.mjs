/** Pages for frames on other sites: live without an origin, and only where the rescue allows it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { eventually, openTab, startRescue, startStore } from "../support/browser.mjs";
import { startSite } from "./site.mjs";

const PASSWORD = "four words are enough";

/**
 * Like the frames of WordPress: scripts and nothing else, and hidden until the first message, so that the browser does not draw
 * it. Records what it is told.
 */
const wordpress = (/** @type {string} */ url) => `<!doctype html><title>Post</title><link rel="icon" href="data:,">
  <iframe title="Pets" sandbox="allow-scripts" style="position: absolute; clip: rect(1px, 1px, 1px, 1px)" width="600" height="200"
    src="${url}#?secret=abcdef1234"></iframe>
  <script>addEventListener("message", ({ data }) => {
    (window.said ??= []).push(data);
    document.querySelector("iframe").removeAttribute("style");
  });</script>`;

const POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'; frame-src *";

for (const path of ["/embed/pets/1?theme=dark", "/embed/board"]) {
  test(`${path} is live in a sandboxed frame, without an origin, and tells its height and links`, async (t) => {
    const store = await startStore(t);
    const site = await startSite(t, { files: { "/": wordpress(store.origin + path) }, policy: POLICY });
    const tab = await openTab(t, site);
    const frame = tab.page.frameLocator("iframe");
    const card = frame.locator('[data-pet="1"]');
    for (let round = 0; round < 2; round += 1) {
      const status = await store.changeStatus(1);
      await eventually(async () => assert.equal(await card.locator(".status-text").textContent(), status));
    }
    await eventually(async () => assert.equal(await frame.locator("#connection-text").textContent(), "Live"));
    const [, inside] = tab.page.frames();
    assert.equal(await inside.evaluate(() => self.origin), "null");
    const heights = await tab.page.evaluate(() => globalThis.said.filter(({ message }) => message === "height"));
    const height = await inside.evaluate(() => Math.ceil(document.body.getBoundingClientRect().height));
    assert.deepEqual(heights.at(-1), { message: "height", value: height, secret: "abcdef1234" });
    await card.locator("a").click();
    const link = await eventually(() => tab.page.evaluate(() => globalThis.said.find(({ message }) => message === "link") ?? false));
    assert.equal(link.value, `${store.origin}/pets/1`);
    tab.assertNoProblems();
  });
}

test("a frame has the colours that its address names, whatever the device prefers", async (t) => {
  const store = await startStore(t);
  const tab = await openTab(t, `${store.origin}/embed/pets/1`);
  const ground = async (/** @type {string} */ theme, /** @type {"light" | "dark"} */ colorScheme) => {
    await tab.page.emulateMedia({ colorScheme });
    await tab.page.goto(`${store.origin}/embed/pets/1?theme=${theme}`);
    return tab.page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
  };
  const [light, dark] = [await ground("auto", "light"), await ground("auto", "dark")];
  assert.notEqual(light, dark);
  assert.equal(await ground("dark", "light"), dark);
  assert.equal(await ground("light", "dark"), light);
});

test("only the sites that an admin names can frame a page, and no other page can be framed", async (t) => {
  const { store, link } = await startRescue(t);
  const frames = `<!doctype html><title>Site</title><link rel="icon" href="data:,">${["/embed/board", "/pets", "/board", "/sign-in"]
    .map((path) => `<iframe title="${path}" src="${store.origin}${path}"></iframe>`).join("")}`;
  const files = { "/": frames };
  const [named, other] = await Promise.all([startSite(t, { files, policy: POLICY }), startSite(t, { files, policy: POLICY })]);
  const tab = await openTab(t, link);
  await tab.page.locator("#name").fill("anna");
  await tab.page.locator("#password").fill(PASSWORD);
  await tab.page.locator("#again").fill(PASSWORD);
  await tab.send('main button[type="submit"]');
  const visitor = await openTab(t, "about:blank");
  const framed = async (/** @type {string} */ site) => {
    await visitor.page.goto(site, { waitUntil: "load" });
    const shown = visitor.page.frames().slice(1).map((frame) => frame.locator("#main").count().catch(() => 0));
    return Promise.all(shown);
  };
  const allow = async (/** @type {string} */ sites) => {
    await tab.page.goto(`${store.origin}/settings`);
    await tab.page.locator("#name").fill("Happy Tails");
    await tab.page.locator("#embed-sites").fill(sites);
    await tab.send('main form button[type="submit"]');
  };
  assert.deepEqual(await framed(named), [1, 0, 0, 0], "every site, at first");
  await allow(named);
  assert.deepEqual(await framed(named), [1, 0, 0, 0], "the named site");
  assert.deepEqual(await framed(other), [0, 0, 0, 0], "another site");
  await allow("none");
  assert.deepEqual(await framed(named), [0, 0, 0, 0], "no site");
});
