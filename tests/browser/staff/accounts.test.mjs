/** A rescue from its first start: the first admin, an invitation, signing in and out, in a real browser. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { eventually, openTab, startRescue } from "../support/browser.mjs";
import { BASE_PATH } from "../support/below.mjs";

const PASSWORD = "four words are enough";

/** Fills in a page with a new password. */
async function choosePassword(tab, name) {
  if (name) await tab.page.locator("#name").fill(name);
  await tab.page.locator("#password").fill(PASSWORD);
  await tab.page.locator("#again").fill(PASSWORD);
  await tab.send('main button[type="submit"]');
}

for (const [words, options] of [
  ["with a script", {}],
  ["without any", { javaScriptEnabled: false }],
]) {
  test(`a rescue gets its first admin, who invites somebody, who sets a status: ${words}`, async (t) => {
    const { store, link } = await startRescue(t);
    const anna = await openTab(t, link, options);
    await choosePassword(anna, "anna");
    assert.equal(anna.path, "/settings", "the first admin names the rescue");
    await anna.page.goto(`${store.origin}/pets/new`);
    await anna.fill({ name: "Otto", species: "Dog" });
    await anna.send('button:text("Add")');

    await anna.page.goto(`${store.origin}/staff`);
    await anna.page.locator("#name").fill("Boris");
    await anna.send('button:text("Create invitation")');
    const invitation = (await anna.page.locator(".secret").textContent()).trim();
    const boris = await openTab(t, invitation, options);
    await choosePassword(boris);
    await boris.page.goto(`${store.origin}/pets`);
    await boris.page.locator('[data-pet="1"] button[value="eating"]').click();
    await boris.shows(1, "status", "Eating");

    await anna.page.goto(`${store.origin}/audit`);
    assert.match(await anna.page.locator(".activity li").first().innerText(), /^boris set Otto to eating/);

    await boris.page.goto(`${store.origin}/account`);
    await boris.send('button:text("Sign out")');
    assert.equal(await boris.page.locator('[data-pet="1"] button').count(), 0);
    await boris.page.goto(`${store.origin}/pets/new`);
    assert.equal(boris.path, "/sign-in");
    await boris.page.locator("#name").fill("boris");
    await boris.page.locator("#password").fill(PASSWORD);
    await boris.send('main button[type="submit"]');
    assert.equal(boris.path, "/pets/new", "on to where they wanted");
    boris.assertNoProblems();
    anna.assertNoProblems();
  });
}

test("an open page shows an activity that is added, renamed and coloured afterwards", async (t) => {
  const { store, link } = await startRescue(t);
  const anna = await openTab(t, link);
  await choosePassword(anna, "anna");
  await anna.page.goto(`${store.origin}/pets/new`);
  await anna.fill({ name: "Otto", species: "Dog" });
  await anna.send('button:text("Add")');
  const visitor = await openTab(t, `${store.origin}/pets`);
  const lobby = await visitor.openAnother(`${store.origin}/board`);
  await visitor.isLive();
  await lobby.isLive();

  await anna.page.goto(`${store.origin}/settings/activities/new`);
  await anna.page.locator("#name").fill("At the vet");
  await anna.send('button:text("Add activity")');
  await anna.page.goto(`${store.origin}/pets/1`);
  await anna.page.locator('.set-status button[value="at-the-vet"]').click();
  await visitor.shows(1, "status", "At the vet");
  const look = () => visitor.pet(1).locator(".status-icon").evaluate((icon) => {
    const { backgroundColor } = getComputedStyle(icon);
    return { backgroundColor, mask: getComputedStyle(icon, "::before").maskImage.slice(0, 18) };
  });
  await eventually(async () => assert.deepEqual(await look(), { backgroundColor: "rgb(143, 47, 95)", mask: 'url("data:image/sv' }));
  const summary = visitor.page.locator('.find [data-status="at-the-vet"]');
  await eventually(async () => assert.equal(await summary.innerText(), "1 at the vet"));
  assert.equal(await summary.getAttribute("href"), `${BASE_PATH}/pets?doing=at-the-vet`);

  // The word stays.
  await anna.page.goto(`${store.origin}/settings/activities/at-the-vet`);
  await anna.page.locator("#name").fill("Clinic");
  await anna.page.locator("#colour").fill("#7a0019");
  await anna.send('main button[type="submit"]');
  await visitor.shows(1, "status", "Clinic");
  await eventually(async () => assert.equal((await look()).backgroundColor, "rgb(122, 0, 25)"));
  assert.equal(await summary.innerText(), "1 clinic");
  await lobby.shows(1, "status", "Clinic");
  const count = lobby.page.locator('.lobby-counts [data-status="at-the-vet"]');
  await eventually(async () => assert.match(await count.innerText(), /^1\s+clinic$/));
  for (const tab of [visitor, lobby, anna]) tab.assertNoProblems();
  assert.deepEqual([visitor.loads, lobby.loads], [1, 1]);
});

test("a page whose session has ended says so after the next tap", async (t) => {
  const { store, link } = await startRescue(t);
  const anna = await openTab(t, link);
  await choosePassword(anna, "anna");
  await anna.page.goto(`${store.origin}/pets/new`);
  await anna.fill({ name: "Otto", species: "Dog" });
  await anna.send('button:text("Add")');
  const other = await anna.openAnother(`${store.origin}/account`);
  await other.send('button:text("Sign out")');
  await anna.page.locator('.set-status button[value="eating"]').click();
  const said = anna.page.locator("[data-saved-text]");
  await eventually(async () => assert.equal(await said.textContent(), "Not saved. Please sign in again."));
});
