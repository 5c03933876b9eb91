/** Pages of other origins with the client: a plain file server on another port, under a content security policy. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { eventually, startStore } from "../support/browser.mjs";
import { ONLY, startProxy } from "../support/proxy.mjs";
import { openSite } from "./site.mjs";

/** Each transport, with a network on which no better one works. Nothing is refused, so the browser logs no error. */
const NETWORKS = {
  // Polls pass: on a busy machine the page sends one first, and a response that is held would be an error in the console.
  ws: { rules: { ...ONLY.ws, polls: "pass" }, state: "live", path: "/live/ws" },
  sse: { rules: { ...ONLY.sse, sockets: "mute" }, state: "live", path: "/live/sse" },
  poll: { rules: { sockets: "mute", streams: "hold" }, state: "polling", path: "/live/poll" },
  short: { rules: { sockets: "refuse", streams: "refuse", polls: "cut" }, state: "delayed", path: "/live/" },
};

/** Returns an element with a link, as the documentation shows it. */
const petStatus = (/** @type {string} */ origin, /** @type {number} */ pet) =>
  `<p><pet-status pet="${pet}"><a href="${origin}/pets/${pet}">Pet ${pet}</a></pet-status></p>`;

const badge = (tab, pet, selector = "") => tab.page.locator(`pet-status[pet="${pet}"]${selector} [part="text"]`);

/** Selects elements by the server that their link leads to. */
const linkedTo = ({ origin }) => `:has(a[href^="${origin}"])`;

const shows = (place, text) => eventually(async () => assert.equal(await place.textContent(), text));

/** Waits for the state of every element, e.g. "live". */
const isConnected = (tab, state, selector = "pet-status, pet-board") =>
  eventually(async () => {
    const states = await tab.page.locator(selector).evaluateAll((all) => all.map((one) => one.getAttribute("connection")));
    assert.deepEqual([...new Set(states)], [state]);
  });

/** The number of live connections, as the server counts them. */
async function viewers({ origin }) {
  const metrics = await (await fetch(`${origin}/metrics`)).text();
  return [...metrics.matchAll(/^petstore_viewers\{[^}]*\} (\d+)$/gm)].reduce((sum, [, count]) => sum + Number(count), 0);
}

describe("a page of another origin", { concurrency: 2 }, () => {
  for (const [name, { rules, state, path }] of Object.entries(NETWORKS)) {
    test(`is live over ${name}`, async (t) => {
      const store = await startStore(t, { heartbeat: "2s" });
      const proxy = await startProxy(t, store.origin, rules);
      const tab = await openSite(t, [proxy.origin], petStatus(proxy.origin, 1));
      await shows(badge(tab, 1), await store.changeStatus(1));
      await isConnected(tab, state);
      await shows(badge(tab, 1), await store.changeStatus(1));
      assert.ok(proxy.asked.some((asked) => asked.startsWith(path)), proxy.asked.join());
      assert.equal(proxy.preflights, 0);
      if (name !== "short") tab.assertNoProblems();
      else assert.doesNotMatch(tab.problems.join("\n"), /content security policy|preflight/i);
    });
  }

  test("has one connection for twenty elements, which grows and shrinks with them", async (t) => {
    const store = await startStore(t, { pets: 21 });
    const proxy = await startProxy(t, store.origin);
    const ids = Array.from({ length: 20 }, (_, index) => index + 1);
    const tab = await openSite(t, [proxy.origin], ids.map((id) => petStatus(proxy.origin, id)).join(""));
    await isConnected(tab, "live");
    for (const id of [1, 20]) await shows(badge(tab, id), await store.changeStatus(id));
    assert.equal(proxy.asked.filter((path) => path === "/live/ws").length, 1);
    await eventually(async () => (await viewers(store)) === 1);
    await tab.page.evaluate((html) => document.body.insertAdjacentHTML("beforeend", html), petStatus(proxy.origin, 21));
    await shows(badge(tab, 21), await store.changeStatus(21));
    await shows(badge(tab, 1), await store.changeStatus(1));
    await eventually(async () => (await viewers(store)) === 1);
    await tab.page.evaluate(() => document.querySelectorAll("pet-status").forEach((element) => element.remove()));
    await eventually(async () => (await viewers(store)) === 0);
    assert.equal(proxy.preflights, 0);
    tab.assertNoProblems();
  });

  test("shows two servers at once, and one that stops does not affect the other", async (t) => {
    const [one, two] = await Promise.all([startStore(t), startStore(t)]);
    const [nearby, far] = await Promise.all([one, two].map(({ origin }) => startProxy(t, origin)));
    const body = petStatus(nearby.origin, 1) + petStatus(far.origin, 1);
    const tab = await openSite(t, [nearby.origin, far.origin], body);
    await isConnected(tab, "live");
    await one.setStatus(1, "bathing");
    await two.setStatus(1, "sleeping");
    await shows(badge(tab, 1, linkedTo(nearby)), "Bathing");
    await shows(badge(tab, 1, linkedTo(far)), "Sleeping");
    tab.assertNoProblems();
    await one.stop("SIGKILL");
    const [first, second] = [nearby, far].map((proxy) => `pet-status${linkedTo(proxy)}`);
    await isConnected(tab, "offline", first);
    assert.match(await tab.page.locator(`${first} [part="as-of"]`).textContent(), /^as of \d\d:\d\d$/);
    assert.equal(await badge(tab, 1, linkedTo(nearby)).textContent(), "Bathing");
    await shows(badge(tab, 1, linkedTo(far)), await two.changeStatus(1));
    await isConnected(tab, "live", second);
    await one.start();
    await tab.page.evaluate(() => dispatchEvent(new Event("online")));
    await isConnected(tab, "live", first);
    await eventually(async () => assert.ok(await tab.page.locator(`${first} [part="as-of"]`).isHidden()));
  });

  test("shows a board that follows pets as they come, change and go, and a pet that is gone", async (t) => {
    const store = await startStore(t);
    const proxy = await startProxy(t, store.origin);
    const body = `<pet-board><a href="${proxy.origin}/pets">Our pets</a></pet-board><pet-status pet="1"></pet-status>`;
    const tab = await openSite(t, [proxy.origin], body);
    const items = tab.page.locator("pet-board [part=item]");
    const { pets } = await store.api("GET", "/pets");
    await eventually(async () => assert.equal(await items.count(), pets.length));
    const { id, name } = pets[0];
    const first = items.filter({ has: tab.page.locator(`a[href="${proxy.origin}/pets/${id}"]`) });
    await eventually(async () => assert.equal(await first.locator("a").textContent(), name));
    await shows(first.locator("[part=text]"), await store.changeStatus(id));
    await shows(tab.page.locator("pet-status a[part=name]"), (await store.api("GET", "/pets/1")).name);
    await fetch(`${store.origin}/api/v1/pets/1`, { method: "DELETE" });
    await eventually(async () => assert.equal(await items.count(), pets.length - 1));
    await shows(badge(tab, 1), "Not listed");
    assert.equal(await tab.page.locator("pet-status").getAttribute("status"), "gone");
    tab.assertNoProblems();
  });

  test("has an accessible name and readable colours for each status in both schemes", async (t) => {
    const store = await startStore(t);
    const head = `<meta name="color-scheme" content="light dark">`;
    const tab = await openSite(t, [store.origin], petStatus(store.origin, 1), { head });
    for (const status of ["eating", "bathing", "sleeping", "playing"]) {
      await store.setStatus(1, status);
      await eventually(async () => assert.equal(await tab.page.locator("pet-status").getAttribute("status"), status));
      for (const colorScheme of /** @type {const} */ (["light", "dark"])) {
        await tab.page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
        assert.ok((await contrast(badge(tab, 1))) >= 4.5, `${status}, ${colorScheme}`);
      }
    }
    const tools = await tab.page.context().newCDPSession(tab.page);
    const { nodes } = await tools.send("Accessibility.getFullAXTree");
    assert.ok(nodes.some(({ role, name }) => role?.value === "group" && name?.value === "Pet 1"), "the element has its name");
    assert.equal(await tab.page.locator("pet-status [aria-live]").count(), 0);
    await tab.page.evaluate(() => document.querySelector("pet-status").setAttribute("pet", "Biscuit"));
    assert.match(tab.problems.splice(0).join(), /the id of a pet is a whole number from 1 up, not "Biscuit"/);
  });

  test("shows another pet when its attribute changes, and never the status of the one before", async (t) => {
    const store = await startStore(t);
    const proxy = await startProxy(t, store.origin);
    await store.setStatus(1, "bathing");
    await store.setStatus(2, "sleeping");
    const tab = await openSite(t, [proxy.origin], petStatus(proxy.origin, 1));
    await shows(badge(tab, 1), "Bathing");
    proxy.let({ sockets: "mute", streams: "hold", polls: "hold" });
    const isShown = (pet) =>
      tab.page.evaluate((id) => {
        const element = document.querySelector("pet-status");
        element.setAttribute("pet", id);
        return element.shadowRoot.querySelector("[part=text]").checkVisibility();
      }, String(pet));
    assert.equal(await isShown(1), true);
    assert.equal(await isShown(2), false);
    proxy.let({ sockets: "pass", streams: "pass", polls: "pass" });
    await tab.page.evaluate(() => dispatchEvent(new Event("online")));
    await shows(badge(tab, 2), "Sleeping");
  });

  for (const reducedMotion of /** @type {const} */ (["no-preference", "reduce"])) {
    test(`moves the badge on a change only if the reader does not mind: ${reducedMotion}`, async (t) => {
      const store = await startStore(t);
      const tab = await openSite(t, [store.origin], petStatus(store.origin, 1), { reducedMotion });
      await tab.page.evaluate(() => {
        const animate = Element.prototype.animate;
        Element.prototype.animate = function (...options) {
          globalThis.moved = true;
          return animate.apply(this, options);
        };
      });
      await isConnected(tab, "live");
      for (let round = 0; round < 2; round += 1) await shows(badge(tab, 1), await store.changeStatus(1));
      assert.equal(await tab.page.evaluate(() => globalThis.moved === true), reducedMotion === "no-preference");
    });
  }
});

/** Returns the contrast between text and background of the badge around a place (WCAG 2). */
function contrast(place) {
  return place.evaluate((text) => {
    const luminance = (/** @type {string} */ color) => {
      const [r, g, b] = color.match(/[\d.]+/g).map((part) => Number(part) / 255);
      const linear = (/** @type {number} */ part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
      return 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
    };
    const { color, backgroundColor } = getComputedStyle(text.parentElement);
    const [dark, light] = [luminance(color), luminance(backgroundColor)].sort((one, other) => one - other);
    return (light + 0.05) / (dark + 0.05);
  });
}
