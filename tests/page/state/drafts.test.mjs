/** Unsaved text in the browser's storage: kept per form, until it is saved, discarded or too old. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock } from "../support/fakes.mjs";
import { Drafts } from "../../../public/state/drafts.js";
import { DraftForm, discardAtSignOut } from "../../../public/view/draft-form.js";
import { FormSender } from "../../../public/live/form-sender.js";

const DAY_MS = 24 * 60 * 60 * 1000;
const TYPED = { fields: { name: "Miso", about: "NEEDS\nINSULIN" }, hidden: { key: "a1" } };

/** The storage of a browser. */
class FakeStorage {
  #items = new Map();
  getItem = (key) => this.#items.get(key) ?? null;
  setItem = (key, text) => void this.#items.set(key, text);
  removeItem = (key) => void this.#items.delete(key);
  key = (index) => [...this.#items.keys()][index] ?? null;
  get length() {
    return this.#items.size;
  }
}

function setUp(storage = new FakeStorage()) {
  const clock = new FakeClock();
  return { clock, storage, drafts: new Drafts({ storage: () => storage, clock }) };
}

test("a draft is read back as it was typed, also by another page, and only for its own form", () => {
  const { drafts, storage, clock } = setUp();
  drafts.write("anna/new", TYPED);
  const another = new Drafts({ storage: () => storage, clock });
  assert.deepEqual(another.read("anna/new"), { ...TYPED, savedAt: clock.now() });
  for (const form of ["anna/1", "boris/new", "new", ""]) assert.equal(another.read(form), null, form);
  another.remove("anna/new");
  assert.equal(drafts.read("anna/new"), null);
});

test("a draft expires, and so does one that a clock in the future wrote", () => {
  const { drafts, storage, clock } = setUp();
  storage.setItem("another site's", "item");
  drafts.write("anna/new", TYPED);
  clock.turn(7 * DAY_MS - 1);
  drafts.removeExpired();
  assert.ok(drafts.read("anna/new"));
  clock.turn(1);
  assert.equal(drafts.read("anna/new"), null);
  drafts.removeExpired();
  assert.equal(storage.length, 1, "what is not ours stays");
  storage.setItem("pet-store draft anna/new", JSON.stringify({ ...TYPED, savedAt: clock.now() + 8 * DAY_MS }));
  assert.equal(drafts.read("anna/new"), null);
});

test("signing out removes every draft of that account and of no other", () => {
  const { drafts } = setUp();
  for (const form of ["anna/new", "anna/1", "annabel/1", "boris/2"]) drafts.write(form, TYPED);
  let onsubmit;
  const signOut = { dataset: { account: "anna" }, addEventListener: (_type, listener) => (onsubmit = listener) };
  discardAtSignOut({ querySelector: () => signOut }, drafts);
  onsubmit();
  for (const form of ["anna/new", "anna/1"]) assert.equal(drafts.read(form), null, form);
  for (const form of ["annabel/1", "boris/2"]) assert.ok(drafts.read(form), form);
});

/** anna's form in a browser with this cookie. */
function openForm({ cookie, isReturnedTo = false }) {
  const { drafts, clock } = setUp();
  const listeners = {};
  const listen = (type, listener) => (listeners[type] = listener);
  const name = { name: "name", type: "text", value: "", defaultValue: "" };
  const dataset = { draft: "anna/1", accountCookie: "pet-store-account=a1" };
  const form = { dataset, elements: [name], addEventListener: listen };
  const main = { isEmpty: false, replaceChildren: () => (main.isEmpty = true) };
  const found = { "form[data-draft]": form, main };
  const querySelector = (selector) => found[selector] ?? null;
  const document = { cookie, defaultView: { addEventListener: listen }, querySelector };
  const location = { href: "/pets/1/edit", replaced: null, replace: (address) => (location.replaced = address) };
  new DraftForm({ document, location, drafts, clock, send: async () => ({}), isReturnedTo }).start();
  const type = (text) => {
    name.value = text;
    listeners.input?.();
  };
  return { drafts, document, location, main, type, show: (event) => listeners.pageshow(event) };
}

const ANNA = "other=1; pet-store-account=a1";

test("a form keeps no more drafts once its account is signed out, also in another tab", () => {
  const { drafts, document, type } = openForm({ cookie: ANNA });
  type("Miso");
  assert.equal(drafts.read("anna/1").fields.name, "Miso");
  drafts.remove("anna/1");
  for (const cookie of ["other=1", "pet-store-account=b2"]) {
    document.cookie = cookie;
    type("Miso, secret");
    assert.equal(drafts.read("anna/1"), null, cookie);
  }
});

test("a page that Back returns to empties itself unless its account is still signed in", () => {
  for (const cookie of ["other=1", "pet-store-account=b2"]) {
    const { location, main } = openForm({ cookie, isReturnedTo: true });
    assert.ok(main.isEmpty, cookie);
    assert.equal(location.replaced, "/pets/1/edit");
    const kept = openForm({ cookie: ANNA });
    kept.document.cookie = cookie;
    kept.show({ persisted: true });
    assert.ok(kept.main.isEmpty, `kept, ${cookie}`);
  }
  for (const isReturnedTo of [true, false]) {
    const { main, show } = openForm({ cookie: ANNA, isReturnedTo });
    show({ persisted: isReturnedTo });
    assert.equal(main.isEmpty, false);
  }
});

test("without storage, or with something else in it, there is no draft and no error", () => {
  const blocked = () => {
    throw new Error("SecurityError");
  };
  const drafts = new Drafts({ storage: blocked, clock: new FakeClock() });
  drafts.write("anna/new", TYPED);
  drafts.removeOf("anna");
  assert.equal(drafts.read("anna/new"), null);
  const { drafts: others, storage } = setUp();
  for (const text of ["", "{", "null", "[]", '{"savedAt":1}', '{"savedAt":1,"fields":{"a":{}},"hidden":{}}']) {
    storage.setItem("pet-store draft anna/new", text);
    assert.equal(others.read("anna/new"), null, text);
  }
});

/** A sender whose server answers with this. */
const send = (answer) => new FormSender({ fetch: answer, clock: new FakeClock() }).send("/pets", new URLSearchParams());

test("a form is saved when the server leads on, and a lost connection leaves the page as it is", async () => {
  assert.deepEqual(await send(async () => ({ redirected: true, url: "/pets/7", status: 200 })), { saved: "/pets/7" });
  for (const status of [401, 403, 404, 409, 413, 422]) {
    assert.deepEqual(await send(async () => ({ status })), { refused: true }, String(status));
  }
  for (const status of [429, 500, 502, 503, 507]) {
    assert.match((await send(async () => ({ status }))).problem, /Try again/, String(status));
  }
  const lost = await send(async () => {
    throw new TypeError("Failed to fetch");
  });
  assert.match(lost.problem, /connection was lost/);
});

test("an answer that never comes counts as a lost connection", async () => {
  const clock = new FakeClock();
  const fetch = (_url, { signal }) =>
    new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
  const sending = new FormSender({ fetch, clock }).send("/pets", new URLSearchParams());
  clock.turn(30_000);
  assert.match((await sending).problem, /connection was lost/);
});
