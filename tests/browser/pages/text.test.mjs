/** Input is shown as text everywhere, even if it looks like markup. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ONLY, startProxy } from "../support/proxy.mjs";
import { openTab, startStore } from "../support/browser.mjs";

const SCRIPT = "<script>alert(1)</script>";
const IMAGE = '"><img src=x onerror=alert(2)>';

test("a name that is markup is shown as text on every page, and live", async (t) => {
  const store = await startStore(t, { pets: 1 });
  const watching = await openTab(t, `${store.origin}/pets`);
  await watching.isLive();

  const staff = await watching.openAnother(`${store.origin}/pets/new`);
  await staff.fill({ name: SCRIPT, species: IMAGE, about: `${SCRIPT}${IMAGE}` });
  await staff.send('button:text("Add")');
  const id = staff.path.split("/").pop();
  assert.equal(await staff.page.locator("h1").textContent(), SCRIPT);
  assert.equal(await staff.field(id, "about"), `${SCRIPT}${IMAGE}`);
  assert.equal(await staff.page.title(), `${SCRIPT} · Sample Rescue`);

  await watching.shows(id, "name", SCRIPT);
  await watching.shows(id, "species", IMAGE);
  await watching.shows(id, "status", await store.changeStatus(id));
  await watching.page.reload();
  assert.equal(await watching.field(id, "name"), SCRIPT);

  const showing = await watching.openAnother(`${store.origin}/pets/${id}`);
  await showing.isLive();
  await store.api("PATCH", `/pets/${id}`, { name: `${SCRIPT}${IMAGE}` });
  await showing.shows(id, "name", `${SCRIPT}${IMAGE}`);

  await staff.page.goto(`${store.origin}/pets/${id}/edit`);
  assert.equal(await staff.page.locator("#name").inputValue(), `${SCRIPT}${IMAGE}`);
  assert.equal(await staff.page.locator("#about").inputValue(), `${SCRIPT}${IMAGE}`);
  await staff.fill({ species: " " });
  await staff.send('form[action] button[type="submit"]');
  assert.equal(await staff.page.locator("#name").inputValue(), `${SCRIPT}${IMAGE}`);

  watching.assertNoProblems();
  showing.assertNoProblems();
  assert.equal(staff.problems.filter((problem) => !/status of 422/.test(problem)).length, 0, String(staff.problems));
});

for (const [rules, transport] of [
  [ONLY.ws, "ws"],
  [ONLY.sse, "sse"],
]) {
  test(`a text with several lines and scripts arrives unchanged over ${transport}`, async (t) => {
    const store = await startStore(t);
    const proxy = await startProxy(t, store.origin, rules);
    const tab = await openTab(t, `${proxy.origin}/pets/1`);
    await tab.isLive(transport);
    // Line endings are stored as line feeds.
    await store.api("PATCH", "/pets/1", { name: "\u00c5\u732b\u{1f436}", about: "A\rdata: x\r\n\r\nevent: gone\n\tB" });
    await tab.shows(1, "name", "\u00c5\u732b\u{1f436}");
    await tab.shows(1, "about", "A\ndata: x\n\nevent: gone\n\tB");
    await tab.shows(1, "status", await store.changeStatus(1));
  });
}
