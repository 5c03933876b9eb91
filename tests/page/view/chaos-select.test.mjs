/** The demo's switch for a bad network: which choice holds, where it is kept, and what the live routes are asked. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ChaosSwitch } from "../../../public/view/chaos-select.js";
import { liveUrl } from "../../../public/live/transports/url.js";

/** A page with the switch, or without it, and the parts of a window that the switch uses. */
function openPage({ address = "/pets", kept = {}, hasSwitch = true, canStore = true } = {}) {
  const values = ["", "refuse-ws", "hold"];
  const select = Object.assign(new EventTarget(), { disabled: true, value: "", options: values.map((value) => ({ value })) });
  const elements = { "[data-chaos='on'] #chaos": select };
  const document = { querySelector: (selector) => (hasSwitch ? elements[selector] : null) };
  const storage = {
    getItem: (key) => kept[key] ?? null,
    setItem: (key, value) => (kept[key] = value),
    removeItem: (key) => delete kept[key],
  };
  const window = {
    loads: 1,
    location: { href: `http://127.0.0.1:3000${address}`, reload: () => (window.loads += 1) },
    history: { state: null, replaceState: (_state, _title, url) => (window.location.href = url.href) },
    get sessionStorage() {
      if (!canStore) throw new DOMException("forbidden", "SecurityError");
      return storage;
    },
  };
  const chaos = new ChaosSwitch(document, window);
  chaos.start();
  const choose = (mode) => {
    select.value = mode;
    select.dispatchEvent(new Event("change"));
  };
  return { chaos, select, kept, window, choose };
}

test("without a choice the network stays as it is, and there is one to make", () => {
  const { chaos, select } = openPage();
  assert.deepEqual([chaos.mode, select.value, select.disabled], ["", "", false]);
});

test("a choice is kept for the tab and loads the page again", () => {
  const { kept, window, choose } = openPage();
  choose("hold");
  assert.deepEqual(kept, { "petstore.chaos": "hold" });
  assert.equal(window.loads, 2);
  const next = openPage({ address: "/pets/1", kept });
  assert.deepEqual([next.chaos.mode, next.select.value], ["hold", "hold"]);
});

test("a choice in the page's address wins over the one that was kept, and is kept itself", () => {
  const { chaos, kept } = openPage({ address: "/pets?chaos=refuse-ws", kept: { "petstore.chaos": "hold" } });
  assert.equal(chaos.mode, "refuse-ws");
  assert.deepEqual(kept, { "petstore.chaos": "refuse-ws" });
});

test("switching off forgets the choice in the storage and in the address, and leaves the rest of the address", () => {
  const { kept, window, choose } = openPage({ address: "/pets?chaos=hold&x=1#miso" });
  choose("");
  assert.deepEqual(kept, {});
  assert.equal(window.location.href, "http://127.0.0.1:3000/pets?x=1#miso");
  assert.equal(window.loads, 2);
});

test("what is no choice of the switch is none at all", () => {
  for (const page of [{ address: "/pets?chaos=everything" }, { kept: { "petstore.chaos": "everything" } }]) {
    const { chaos, select } = openPage(page);
    assert.deepEqual([chaos.mode, select.value], ["", ""]);
  }
});

test("where storage is forbidden the address still holds a choice", () => {
  const { chaos, window, choose } = openPage({ canStore: false });
  assert.equal(chaos.mode, "");
  choose("hold");
  assert.equal(window.location.href, "http://127.0.0.1:3000/pets?chaos=hold");
  assert.equal(openPage({ address: "/pets?chaos=hold", canStore: false }).chaos.mode, "hold");
});

test("outside the demo there is no switch, and nothing is asked for", () => {
  const page = openPage({ address: "/pets?chaos=hold", kept: { "petstore.chaos": "hold" }, hasSwitch: false });
  assert.equal(page.chaos.mode, "");
});

test("a switch that was stopped does nothing and is not shown", () => {
  const { chaos, select, kept, choose } = openPage();
  chaos.stop();
  choose("hold");
  assert.deepEqual([kept, select.disabled], [{}, true]);
});

test("the live routes are asked for the bad network only when one was chosen", () => {
  const watch = { origin: "http://127.0.0.1:3000", pets: [] };
  const url = (/** @type {string} */ chaos) => new URL(liveUrl({ ...watch, chaos }, "/live/sse", ""));
  assert.equal(url("hold").searchParams.get("chaos"), "hold");
  assert.equal(url("").search, "");
});
