/** Every page without JavaScript: complete, also for everything that staff do. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { openTab, startStore } from "../support/browser.mjs";

const PLAIN = { javaScriptEnabled: false };

test("the index is complete without JavaScript: each pet with status, since when, and how long", async (t) => {
  const store = await startStore(t);
  const { pets } = await store.api("GET", "/pets");
  const tab = await openTab(t, `${store.origin}/pets`, PLAIN);
  assert.equal(await tab.page.locator("#pets > li").count(), pets.length);
  for (const pet of pets) {
    assert.equal(await tab.field(pet.id, "name"), pet.name);
    assert.equal((await tab.field(pet.id, "status")).toLowerCase(), pet.status);
    const since = await tab.pet(pet.id).locator(".status-since").innerText();
    assert.match(since, new RegExp(`^since ${pet.since.slice(11, 16)} UTC \\((just now|1 min)\\)$`));
  }
  assert.match(await tab.line(), /^As of \d\d:\d\d UTC\. Reload for the latest\.$/);
  assert.equal(await tab.page.locator("#pause").isVisible(), false);
});

test("a show page is complete without JavaScript, from the index by its link", async (t) => {
  const store = await startStore(t);
  const about = "Likes\ntwo lines.";
  const given = { name: "Mossie", species: "Rabbit", breed: "Rex", sex: "female", age: "about 2 years", about };
  const { id, since } = await store.api("POST", "/pets", given);
  await store.setStatus(id, "bathing");
  const tab = await openTab(t, `${store.origin}/pets`, PLAIN);
  await tab.send(`[data-pet="${id}"] a[data-link]`);
  assert.equal(tab.path, `/pets/${id}`);
  for (const [name, value] of Object.entries({ ...given, sex: "Female", status: "Bathing" })) {
    assert.equal(await tab.field(id, name), value);
  }
  assert.match(await tab.pet(id).locator(".status-since").innerText(), / UTC \((just now|1 min)\)$/);
  assert.ok((await tab.pet(id).locator("time").getAttribute("data-since")) > since);
  assert.equal(await tab.page.locator("#gone").isVisible(), false);
});

test("without JavaScript staff can add a pet, edit it, set its status and remove it", async (t) => {
  const store = await startStore(t);
  const tab = await openTab(t, `${store.origin}/pets`, PLAIN);
  const path = () => tab.path;

  await tab.send('nav a[href$="/pets/new"]');
  await tab.fill({ name: "Junebug", species: "Cat", sex: "female", age: "3", about: "Shy at first." });
  await tab.send('button:text("Add")');
  const id = /^\/pets\/(\d+)$/.exec(path())?.[1];
  assert.ok(id, `the new pet's page, not ${path()}`);
  assert.equal(await tab.field(id, "name"), "Junebug");
  assert.equal(await tab.pet(id).locator('[data-row="breed"]').first().isVisible(), false);

  await tab.send('a:text("Edit details")');
  assert.equal(await tab.page.locator("#about").inputValue(), "Shy at first.");
  await tab.fill({ name: "Juni", breed: "Tabby", about: "" });
  await tab.send('form[action] button[type="submit"]');
  assert.equal(path(), `/pets/${id}`);
  assert.deepEqual([await tab.field(id, "name"), await tab.field(id, "breed")], ["Juni", "Tabby"]);
  assert.equal(await tab.pet(id).locator(".about").isVisible(), false);

  for (const status of ["Sleeping", "Playing"]) {
    await tab.send(`button[name="status"]:has-text("${status}")`);
    assert.equal(path(), `/pets/${id}`);
    assert.equal(await tab.field(id, "status"), status);
  }

  await tab.page.locator(".manage summary").click();
  await tab.send('button:text-is("Remove")');
  assert.equal(path(), "/pets");
  assert.equal(await tab.pet(id).count(), 0);
  const gone = await tab.page.goto(`${store.origin}/pets/${id}`);
  assert.equal(gone.status(), 404);
  assert.match(await tab.page.locator("main").innerText(), /Error 404/);
});

test("an invalid form comes back with a message at each field, and with the input", async (t) => {
  const store = await startStore(t);
  const tab = await openTab(t, `${store.origin}/pets/new`, PLAIN);
  const entered = { name: " ", species: "x".repeat(41), breed: 'Half "this" & <that>', age: "old", about: "One\nTwo" };
  // The server must check what the browser does not let people type.
  await tab.page.locator("#species").evaluate((field) => field.removeAttribute("maxlength"));
  await tab.fill({ ...entered, sex: "male" });
  const answered = tab.page.waitForResponse((response) => response.request().method() === "POST");
  await tab.send('form[action$="/pets"] button[type="submit"]');
  assert.equal((await answered).status(), 422);

  for (const [name, value] of Object.entries({ ...entered, name: "" })) {
    assert.equal((await tab.page.locator(`#${name}`).inputValue()).trim(), value, name);
  }
  assert.equal(await tab.page.locator('input[value="male"]').isChecked(), true);
  const messageAt = async (name) => {
    const field = tab.page.locator(`#${name}`);
    assert.equal(await field.getAttribute("aria-invalid"), "true");
    const [described] = (await field.getAttribute("aria-describedby")).split(" ");
    return tab.page.locator(`#${described}`).innerText();
  };
  assert.equal(await messageAt("name"), "Enter a name.");
  assert.equal(await messageAt("species"), "Use at most 40 characters; this has 41.");
  assert.equal(await tab.page.locator("#breed[aria-invalid]").count(), 0);
  const links = tab.page.locator(".notice-error a");
  const targets = await links.evaluateAll((all) => all.map((link) => link.getAttribute("href")));
  assert.deepEqual(targets, ["#name", "#species"]);
  assert.match(await tab.page.title(), /^Error: /);

  await tab.fill({ name: "Pip", species: "Ferret" });
  await tab.send('form[action$="/pets"] button[type="submit"]');
  assert.equal(await tab.page.locator("h1").innerText(), "Pip");
  assert.equal(await tab.page.locator('dd [data-field="breed"]').textContent(), entered.breed);
});

test("without JavaScript the hello page says that it needs JavaScript", async (t) => {
  const store = await startStore(t);
  const tab = await openTab(t, `${store.origin}/hello`, PLAIN);
  assert.match(await tab.page.locator("main").innerText(), /This page needs JavaScript/);
  assert.equal(await tab.line(), "Not connected.");
});
