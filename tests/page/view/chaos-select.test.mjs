/** The demo's select for a simulated network: which choice applies, where it is stored, and how it is sent. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ChaosSelect } from "../../../public/app/view/chaos-select.js";
import { liveUrl } from "../../../public/petstore/transports/url.js";
import { fake } from "../support/fakes.mjs";

/**
 * @typedef {object} PageOptions
 * @property {string} [address]
 * @property {Record<string, string>} [stored]
 * @property {boolean} [hasSelect]
 * @property {boolean} [canStore]
 */

/** A page, with the window APIs that the select uses. @param {PageOptions} [options] */
function openPage({ address = "/pets", stored = {}, hasSelect = true, canStore = true } = {}) {
  const options = ["", "refuse-ws", "hold"].map((value) => ({ value }));
  const select = Object.assign(new EventTarget(), { disabled: true, value: "", options });
  /** @type {Record<string, unknown>} */
  const elements = { "[data-chaos='on'] #chaos": select };
  const document = { querySelector: (/** @type {string} */ selector) => (hasSelect ? elements[selector] : null) };
  const storage = {
    getItem: (/** @type {string} */ key) => stored[key] ?? null,
    setItem: (/** @type {string} */ key, /** @type {string} */ value) => (stored[key] = value),
    removeItem: (/** @type {string} */ key) => delete stored[key],
  };
  const location = { href: `http://127.0.0.1:3000${address}`, reload: () => (window.loads += 1) };
  const replaceState = (/** @type {unknown} */ _state, /** @type {string} */ _title, /** @type {URL} */ url) =>
    (location.href = url.href);
  const window = {
    loads: 1,
    location,
    history: { state: null, replaceState },
    get sessionStorage() {
      if (!canStore) throw new DOMException("forbidden", "SecurityError");
      return storage;
    },
  };
  const chaos = new ChaosSelect(fake(document), fake(window));
  chaos.start();
  const choose = (/** @type {string} */ mode) => {
    select.value = mode;
    select.dispatchEvent(new Event("change"));
  };
  return { chaos, select, stored, window, choose };
}

test("without a choice the network is real, and the select is enabled", () => {
  const { chaos, select } = openPage();
  assert.deepEqual([chaos.mode, select.value, select.disabled], ["", "", false]);
});

test("a choice is stored for the tab and reloads the page", () => {
  const { stored, window, choose } = openPage();
  choose("hold");
  assert.deepEqual(stored, { "petstore.chaos": "hold" });
  assert.equal(window.loads, 2);
  const next = openPage({ address: "/pets/1", stored });
  assert.deepEqual([next.chaos.mode, next.select.value], ["hold", "hold"]);
});

test("a choice in the URL wins over the stored one, and is stored itself", () => {
  const { chaos, stored } = openPage({ address: "/pets?chaos=refuse-ws", stored: { "petstore.chaos": "hold" } });
  assert.equal(chaos.mode, "refuse-ws");
  assert.deepEqual(stored, { "petstore.chaos": "refuse-ws" });
});

test("switching off removes the choice from storage and URL, and leaves the rest of the URL", () => {
  const { stored, window, choose } = openPage({ address: "/pets?chaos=hold&x=1#miso" });
  choose("");
  assert.deepEqual(stored, {});
  assert.equal(window.location.href, "http://127.0.0.1:3000/pets?x=1#miso");
  assert.equal(window.loads, 2);
});

test("a mode that is not an option is ignored", () => {
  for (const page of [{ address: "/pets?chaos=everything" }, { stored: { "petstore.chaos": "everything" } }]) {
    const { chaos, select } = openPage(page);
    assert.deepEqual([chaos.mode, select.value], ["", ""]);
  }
});

test("without storage the URL still has the choice", () => {
  const { chaos, window, choose } = openPage({ canStore: false });
  assert.equal(chaos.mode, "");
  choose("hold");
  assert.equal(window.location.href, "http://127.0.0.1:3000/pets?chaos=hold");
  assert.equal(openPage({ address: "/pets?chaos=hold", canStore: false }).chaos.mode, "hold");
});

test("outside the demo there is no select, and no simulated network", () => {
  const page = openPage({ address: "/pets?chaos=hold", stored: { "petstore.chaos": "hold" }, hasSelect: false });
  assert.equal(page.chaos.mode, "");
});

test("a stopped select does nothing and is disabled", () => {
  const { chaos, select, stored, choose } = openPage();
  chaos.stop();
  choose("hold");
  assert.deepEqual([stored, select.disabled], [{}, true]);
});

test("the live routes get the parameter only if a network was chosen", () => {
  const watch = { site: "http://127.0.0.1:3000", pets: [] };
  const url = (/** @type {string} */ chaos) => new URL(liveUrl({ ...watch, chaos }, "/live/sse", ""));
  assert.equal(url("hold").searchParams.get("chaos"), "hold");
  assert.equal(url("").search, "");
});
