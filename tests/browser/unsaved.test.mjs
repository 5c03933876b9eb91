/** Form input is saved, or still on the page. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { eventually, openTab, startRescue, startStore } from "./support/browser.mjs";

const PASSWORD = "four words are enough";
const TYPED = { name: "Miso", species: "Cat", breed: 'Half "this" & <that>', about: "NEEDS INSULIN\nat 8 and 20" };
const PLAIN = { javaScriptEnabled: false };
const SAVE = '.form button[type="submit"]';

/** The values of the fields in `TYPED`. */
const typedIn = async (tab) => {
  const values = {};
  for (const name of Object.keys(TYPED)) values[name] = await tab.page.locator(`#${name}`).inputValue();
  return values;
};

/**
 * Opens the form for a new pet, as the first admin of a new rescue.
 * @param {import("node:test").TestContext} t
 */
async function startAtForm(t, options) {
  const { store, link } = await startRescue(t);
  const anna = await openTab(t, link, options);
  await anna.page.locator("#name").fill("anna");
  await anna.page.locator("#password").fill(PASSWORD);
  await anna.page.locator("#again").fill(PASSWORD);
  await anna.send('main button[type="submit"]');
  await anna.page.goto(`${store.origin}/pets/new`);
  return { store, tab: anna };
}

const names = async (store) => (await store.api("GET", "/pets")).pets.map((pet) => pet.name);

for (const [words, options] of [
  ["with a script", {}],
  ["without any", PLAIN],
]) {
  test(`text typed while a session ended is saved after signing in, once: ${words}`, async (t) => {
    const { store, tab: anna } = await startAtForm(t, options);
    await anna.fill(TYPED);

    const another = await anna.openAnother(`${store.origin}/account`);
    await another.send('button:text("Sign out")');

    await anna.send(SAVE);
    assert.equal(await anna.page.locator("h1").innerText(), "Sign in");
    await anna.page.locator("#name").fill("anna");
    await anna.page.locator("#password").fill(PASSWORD);
    await anna.send('main button[type="submit"]');
    assert.equal(await anna.page.locator("h1").innerText(), "Add a pet");
    assert.deepEqual(await typedIn(anna), TYPED);
    await anna.send(SAVE);
    assert.equal(await anna.page.locator("h1").innerText(), "Miso");
    assert.deepEqual(await names(store), ["Miso"]);
  });

  test(`going back after signing out shows nothing that was typed: ${words}`, async (t) => {
    const { store, tab } = await startAtForm(t, options);
    await tab.fill({ ...TYPED, name: " " });
    await tab.send(SAVE);
    assert.equal(await tab.page.locator("#about").inputValue(), TYPED.about);
    await tab.page.goto(`${store.origin}/account`);
    await tab.send('button:text("Sign out")');
    for (let step = 0; step < 3; step += 1) {
      await tab.page.goBack().catch(() => null);
      await eventually(async () => assert.doesNotMatch(await tab.page.content(), /INSULIN/));
      const about = tab.page.locator("#about");
      if (await about.count()) assert.equal(await about.inputValue(), "");
    }
  });

  test(`going back from a corrected form shows it again without a question: ${words}`, async (t) => {
    const { store, tab } = await startAtForm(t, options);
    await tab.fill({ ...TYPED, name: " " });
    await tab.send(SAVE);
    assert.match(await tab.page.title(), /^Error: /);
    await tab.fill({ name: "Miso" });
    await tab.send(SAVE);
    assert.equal(await tab.page.locator("h1").innerText(), "Miso");
    await tab.page.goBack();
    assert.equal(await tab.page.locator("h1").innerText(), "Add a pet");
    assert.deepEqual((await typedIn(tab)).about, TYPED.about);
    await tab.page.goForward();
    assert.equal(await tab.page.locator("h1").innerText(), "Miso");
    assert.deepEqual(await names(store), ["Miso"]);
  });

  test(`text is still there after going away and back: ${words}`, async (t) => {
    const { store, tab } = await startAtForm(t, options);
    await tab.fill(TYPED);
    await tab.page.goto(`${store.origin}/pets`);
    await tab.page.goBack();
    assert.deepEqual(await typedIn(tab), TYPED);
  });
}

test("unsaved text survives a reload and a restart of the browser, and can be discarded", async (t) => {
  const store = await startStore(t, { pets: 0 });
  const tab = await openTab(t, `${store.origin}/pets/new`);
  await tab.fill(TYPED);
  await tab.page.reload();
  assert.deepEqual(await typedIn(tab), TYPED);
  const notice = tab.page.locator("[data-draft-notice]");
  assert.match(await notice.innerText(), /Your unsaved text from \d\d:\d\d was restored\./);

  const storageState = await tab.page.context().storageState();
  const restarted = await openTab(t, `${store.origin}/pets/new`, { storageState });
  assert.deepEqual(await typedIn(restarted), TYPED);
  await restarted.page.locator('button:text("Discard")').click();
  assert.equal((await typedIn(restarted)).name, "");
  await restarted.page.reload();
  assert.equal((await typedIn(restarted)).name, "");
  assert.equal(await restarted.page.locator("[data-draft-notice]").isVisible(), false);
  restarted.assertNoProblems();
});

test("a form that is saved leaves no draft, and a draft of one pet is not another's", async (t) => {
  const store = await startStore(t, { pets: 2 });
  const tab = await openTab(t, `${store.origin}/pets/1/edit`);
  await tab.fill({ about: "Of pet 1" });
  await tab.page.goto(`${store.origin}/pets/2/edit`);
  assert.notEqual(await tab.page.locator("#about").inputValue(), "Of pet 1");
  await tab.page.goto(`${store.origin}/pets/1/edit`);
  assert.equal(await tab.page.locator("#about").inputValue(), "Of pet 1");
  await tab.send(SAVE);
  await eventually(() => tab.path === "/pets/1");
  const kept = await tab.page.evaluate(() => Object.keys(localStorage));
  assert.deepEqual(kept.filter((key) => key.includes("draft")), []);
});

test("a lost connection leaves the text on the page, and it is saved once when the network is back", async (t) => {
  const store = await startStore(t, { pets: 0 });
  const tab = await openTab(t, `${store.origin}/pets/new`);
  await tab.fill(TYPED);
  await tab.page.context().setOffline(true);
  await tab.page.locator(SAVE).click();
  const notice = tab.page.locator("[data-draft-notice]");
  await eventually(async () => assert.match(await notice.innerText(), /Not saved\. The connection was lost\./));
  assert.deepEqual(await typedIn(tab), TYPED);
  await tab.page.context().setOffline(false);
  await tab.send(SAVE);
  assert.equal(await tab.page.locator("h1").innerText(), "Miso");
  assert.deepEqual(await names(store), ["Miso"]);
});
