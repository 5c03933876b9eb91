/** Changes that staff make on one page show on the others, without a reload. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { eventually, openTab, startStore } from "../support/browser.mjs";

const names = (tab) => tab.page.locator('#pets .card-name [data-field="name"]').allTextContents();

test("a pet that is added, renamed and removed in one tab changes on an index in another", async (t) => {
  const store = await startStore(t, { pets: 2 });
  const watching = await openTab(t, `${store.origin}/pets`);
  await watching.isLive();
  const before = await names(watching);

  const staff = await watching.openAnother(`${store.origin}/pets/new`);
  await staff.fill({ name: "Clementine", species: "Guinea pig" });
  await staff.send('button:text("Add")');
  const path = new URL(staff.page.url()).pathname;
  const id = path.split("/").pop();
  await watching.shows(id, "name", "Clementine");
  assert.deepEqual(await names(watching), [...before, "Clementine"]);
  assert.equal(await watching.pet(id).locator("a[data-link]").getAttribute("href"), path);
  assert.equal(await watching.pet(id).locator('[data-row="breed"]').isVisible(), false);
  assert.equal(await watching.pet(id).locator("[data-ago]").textContent(), "just now");

  await staff.send('a:text("Edit details")');
  await staff.fill({ name: "Clem", breed: "Peruvian" });
  await staff.send('form[action] button[type="submit"]');
  await watching.shows(id, "name", "Clem");
  await watching.shows(id, "breed", "Peruvian");
  assert.equal(await watching.pet(id).locator('[data-row="breed"]').isVisible(), true);

  await staff.page.locator(".manage summary").click();
  await staff.send('button:text-is("Remove")');
  await eventually(async () => assert.deepEqual(await names(watching), before));
  assert.equal(watching.loads, 1);
  watching.assertNoProblems();
  staff.assertNoProblems();
});

test("a show page follows a rename, in its title too, and says when its pet was removed", async (t) => {
  const store = await startStore(t);
  const { id } = await store.api("POST", "/pets", { name: "Otto", species: "Dog", about: "Barks." });
  const tab = await openTab(t, `${store.origin}/pets/${id}`);
  await tab.isLive();
  assert.equal(await tab.page.title(), "Otto · Sample Rescue");

  await store.api("PATCH", `/pets/${id}`, { name: "Ottilie", about: "", age: "9" });
  await tab.shows(id, "name", "Ottilie");
  assert.equal(await tab.page.title(), "Ottilie · Sample Rescue");
  assert.equal(await tab.pet(id).locator(".about").isVisible(), false);
  assert.equal(await tab.pet(id).locator('[data-row="age"]').isVisible(), true);

  await store.api("DELETE", `/pets/${id}`);
  await eventually(() => tab.page.locator("#gone").isVisible());
  assert.match(await tab.page.locator("#gone").innerText(), /This pet was removed/);
  assert.equal(await tab.field(id, "name"), "Ottilie");
  assert.equal(await tab.page.locator(".manage").isVisible(), false);
  assert.equal(tab.loads, 1);
  tab.assertNoProblems();
});

test("an index whose last pet is removed says that there are no pets, until there is one", async (t) => {
  const store = await startStore(t, { pets: 1 });
  const [{ id }] = (await store.api("GET", "/pets")).pets;
  const tab = await openTab(t, `${store.origin}/pets`);
  await tab.isLive();
  const empty = tab.page.locator("#no-pets");
  assert.equal(await empty.isVisible(), false);
  await store.api("DELETE", `/pets/${id}`);
  await eventually(() => empty.isVisible());
  const { id: next } = await store.api("POST", "/pets", { name: "Rosa", species: "Hen" });
  await tab.shows(next, "name", "Rosa");
  assert.equal(await empty.isVisible(), false);
});

test("a status button on the show page sets the status, there and in another tab", async (t) => {
  const store = await startStore(t);
  const watching = await openTab(t, `${store.origin}/pets`);
  await watching.isLive();
  const staff = await watching.openAnother(`${store.origin}/pets/4`);
  await staff.isLive();
  for (const status of ["Bathing", "Sleeping"]) {
    await staff.page.locator(`.set-status button:has-text("${status}")`).click();
    await staff.shows(4, "status", status);
    await watching.shows(4, "status", status);
  }
  assert.equal(watching.loads, 1);
  assert.equal(staff.loads, 1);
  watching.assertNoProblems();
  staff.assertNoProblems();
});

test("no page logs anything to the console", async (t) => {
  const store = await startStore(t);
  const tab = await openTab(t, `${store.origin}/`);
  assert.equal(tab.path, "/pets");
  for (const path of ["/pets", "/pets/1", "/pets/new", "/pets/1/edit", "/hello", "/api/docs"]) {
    const answer = await tab.page.goto(`${store.origin}${path}`);
    assert.equal(answer.status(), 200, path);
    if (await tab.page.locator("#connection").count()) await tab.isLive();
    tab.assertNoProblems();
  }
  await tab.page.goto(`${store.origin}/nothing-here`);
  await eventually(() => tab.problems.length > 0);
  assert.equal(tab.problems.length, 1, "the browser notes the 404 itself, and nothing else");
  assert.match(tab.problems[0], /status of 404/);
});
