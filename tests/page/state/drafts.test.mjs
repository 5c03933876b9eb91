/** Drafts in the browser's storage: one per form, until it is saved, discarded or expired. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { fake, FakeClock, fakeFetch } from "../support/fakes.mjs";
import { Drafts } from "../../../public/app/state/drafts.js";
import { DraftForm, discardAtSignOut } from "../../../public/app/view/draft-form.js";
import { Commands } from "../../../public/app/server/commands.js";

const DAY_MS = 24 * 60 * 60 * 1000;
const TYPED = { fields: { name: "Miso", about: "NEEDS\nINSULIN" }, hidden: { key: "a1" } };

/** The storage of a browser. */
class FakeStorage {
  /** @type {Map<string, string>} */
  #items = new Map();
  getItem = (/** @type {string} */ key) => this.#items.get(key) ?? null;
  setItem = (/** @type {string} */ key, /** @type {string} */ text) => void this.#items.set(key, text);
  removeItem = (/** @type {string} */ key) => void this.#items.delete(key);
  key = (/** @type {number} */ index) => [...this.#items.keys()][index] ?? null;
  clear = () => this.#items.clear();
  get length() {
    return this.#items.size;
  }
}

function setUp(storage = new FakeStorage()) {
  const clock = new FakeClock();
  return { clock, storage, drafts: new Drafts({ storage: () => storage, clock }) };
}

test("a draft is restored as it was typed, also by another page, and only for its own form", () => {
  const { drafts, storage, clock } = setUp();
  drafts.write("anna/new", TYPED);
  const another = new Drafts({ storage: () => storage, clock });
  assert.deepEqual(another.read("anna/new"), { ...TYPED, savedAt: clock.now() });
  for (const form of ["anna/1", "boris/new", "new", ""]) assert.equal(another.read(form), null, form);
  another.remove("anna/new");
  assert.equal(drafts.read("anna/new"), null);
});

test("a draft expires, and so does one from the future", () => {
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

test("an unreadable draft is removed, and does not keep expired ones from being removed", () => {
  const { drafts, storage, clock } = setUp();
  storage.setItem("pet-store draft anna/1", "{");
  drafts.write("anna/new", TYPED);
  clock.turn(7 * DAY_MS);
  drafts.write("anna/2", TYPED);
  drafts.removeExpired();
  assert.deepEqual([storage.length, storage.key(0)], [1, "pet-store draft anna/2"]);
});

test("signing out removes every draft of that account only", () => {
  const { drafts } = setUp();
  for (const form of ["anna/new", "anna/1", "annabel/1", "boris/2"]) drafts.write(form, TYPED);
  const signOut = Object.assign(new EventTarget(), { dataset: { account: "anna" } });
  discardAtSignOut(fake({ querySelector: () => signOut }), drafts);
  signOut.dispatchEvent(new Event("submit"));
  for (const form of ["anna/new", "anna/1"]) assert.equal(drafts.read(form), null, form);
  for (const form of ["annabel/1", "boris/2"]) assert.ok(drafts.read(form), form);
});

/** Anna's form in a browser with this cookie. @param {{ cookie: string, isReturnedTo?: boolean }} options */
function openForm({ cookie, isReturnedTo = false }) {
  const { drafts, clock } = setUp();
  const name = { name: "name", type: "text", value: "", defaultValue: "" };
  const dataset = { draft: "anna/1", accountCookie: "pet-store-account=a1" };
  const form = Object.assign(new EventTarget(), { dataset, elements: [name] });
  const main = { isEmpty: false, replaceChildren: () => (main.isEmpty = true) };
  const window = new EventTarget();
  /** @type {Record<string, unknown>} */
  const elements = { "form[data-draft]": form, main };
  const querySelector = (/** @type {string} */ selector) => elements[selector] ?? null;
  const document = { cookie, defaultView: window, querySelector };
  const location = {
    href: "/pets/1/edit",
    replaced: "",
    replace: (/** @type {string} */ url) => (location.replaced = url),
  };
  const send = async () => ({ refused: /** @type {const} */ (true) });
  new DraftForm({ document: fake(document), location: fake(location), drafts, clock, send, isReturnedTo }).start();
  const type = (/** @type {string} */ text) => {
    name.value = text;
    form.dispatchEvent(new Event("input"));
  };
  const show = (/** @type {{ persisted: boolean }} */ event) =>
    window.dispatchEvent(Object.assign(new Event("pageshow"), event));
  return { drafts, document, location, main, type, show };
}

const ANNA = "other=1; pet-store-account=a1";

test("a form stores no drafts once its account is signed out, also in another tab", () => {
  const { drafts, document, type } = openForm({ cookie: ANNA });
  type("Miso");
  assert.equal(drafts.read("anna/1")?.fields.name, "Miso");
  drafts.remove("anna/1");
  for (const cookie of ["other=1", "pet-store-account=b2"]) {
    document.cookie = cookie;
    type("Miso, secret");
    assert.equal(drafts.read("anna/1"), null, cookie);
  }
});

test("a page that the Back button returns to empties itself unless its account is signed in", () => {
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

test("without storage, or with invalid entries, there is no draft and no error", () => {
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

/** Submits a form to a server that responds like this. */
async function sendForm(/** @type {(clock: FakeClock) => Promise<object>} */ respond) {
  const clock = new FakeClock();
  const commands = new Commands({ fetch: fake(() => respond(clock)), site: "", clock });
  return commands.sendForm("/pets", new URLSearchParams());
}

test("a form is saved when the server redirects, and stays on the page when the connection is lost", async () => {
  const saved = await sendForm(async () => ({ redirected: true, url: "/pets/7", status: 200 }));
  assert.deepEqual(saved, { saved: "/pets/7" });
  for (const status of [401, 403, 404, 409, 413, 422]) {
    assert.deepEqual(await sendForm(async () => ({ status })), { refused: true }, String(status));
  }
  for (const status of [429, 500, 502, 503, 507]) {
    const result = await sendForm(async () => ({ status }));
    assert.match("problem" in result ? result.problem : "", /Try again/, String(status));
  }
  const lost = await sendForm(() => Promise.reject(new TypeError("Failed to fetch")));
  assert.match("problem" in lost ? lost.problem : "", /connection was lost/);
});

test("a response that never comes counts as a lost connection", async () => {
  const clock = new FakeClock();
  const { fetch } = fakeFetch();
  const sending = new Commands({ fetch, site: "", clock }).sendForm("https://pets.example/pets", new URLSearchParams());
  clock.turn(30_000);
  const result = await sending;
  assert.match("problem" in result ? result.problem : "", /connection was lost/);
});
