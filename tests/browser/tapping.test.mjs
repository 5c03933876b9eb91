/** A status set with one tap: saved, live, undone; by touch, by keyboard, and without a network. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { startProxy } from "./support/proxy.mjs";
import { eventually, openTab, startStore } from "./support/browser.mjs";

const PHONE = { viewport: { width: 360, height: 640 }, hasTouch: true, isMobile: true };

const button = (tab, pet, status) => tab.pet(pet).locator(`button[value="${status}"]`);
const saved = (tab, pet) => tab.pet(pet).locator("[data-saved-text]").textContent();
const undo = (tab, pet) => tab.pet(pet).locator("[data-undo]");

test("a tap on a card is saved and live, shows in another tab, and can be undone", async (t) => {
  const store = await startStore(t);
  const before = (await store.api("GET", "/pets/1")).status;
  const [to] = ["eating", "bathing"].filter((status) => status !== before);
  const watching = await openTab(t, `${store.origin}/pets`);
  await watching.isLive();
  const staff = await openTab(t, `${store.origin}/pets`, PHONE);
  await staff.isLive();

  await button(staff, 1, to).tap();
  await eventually(async () => assert.equal(await saved(staff, 1), "Saved and live"));
  const word = to[0].toUpperCase() + to.slice(1);
  await watching.shows(1, "status", word);
  await staff.shows(1, "status", word);

  await undo(staff, 1).tap();
  await eventually(async () => assert.equal((await store.api("GET", "/pets/1")).status, before));
  await eventually(async () => assert.equal(await undo(staff, 1).isVisible(), false));
  assert.equal(staff.loads, 1);
  staff.assertNoProblems();
  watching.assertNoProblems();
});

test("every button is large enough for a thumb, and no card moves while it shows the state of a tap", async (t) => {
  const store = await startStore(t);
  const tab = await openTab(t, `${store.origin}/pets`, PHONE);
  await tab.isLive();
  for (const status of ["eating", "bathing", "sleeping", "playing"]) {
    const { width, height } = await button(tab, 1, status).boundingBox();
    assert.ok(width >= 44 && height >= 44, `${status}: ${width} x ${height}`);
  }
  // On the page: a tap may scroll it.
  const place = () => tab.pet(2).evaluate((card) => card.getBoundingClientRect().top + scrollY);
  const before = await place();
  await button(tab, 1, "playing").tap();
  await eventually(async () => assert.equal(await saved(tab, 1), "Saved and live"));
  assert.equal(await place(), before);
  const wide = await tab.page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  assert.ok(wide <= 0, "nothing is wider than the phone");
});

test("undo is withdrawn when somebody else sets another status", async (t) => {
  const store = await startStore(t);
  await store.setStatus(1, "sleeping");
  const tab = await openTab(t, `${store.origin}/pets`);
  await tab.isLive();
  await button(tab, 1, "eating").click();
  await eventually(() => undo(tab, 1).isVisible());
  await store.setStatus(1, "bathing");
  await eventually(async () => assert.equal(await undo(tab, 1).isVisible(), false));
  assert.equal((await store.api("GET", "/pets/1")).status, "bathing");
});

test("a tap that fails says so, and the page stays as it was", async (t) => {
  const store = await startStore(t);
  await store.setStatus(1, "sleeping");
  const proxy = await startProxy(t, store.origin);
  const tab = await openTab(t, `${proxy.origin}/pets`);
  await tab.isLive();
  proxy.cut();
  await button(tab, 1, "eating").click();
  await eventually(async () => assert.match(await saved(tab, 1), /^Not saved\. The server did not respond\./));
  assert.equal(await tab.field(1, "status"), "Sleeping");
  proxy.mend();
});

test("the focus of a keyboard user stays on the pet", async (t) => {
  const store = await startStore(t);
  await store.setStatus(1, "sleeping");
  const tab = await openTab(t, `${store.origin}/pets`);
  await tab.isLive();
  await button(tab, 1, "eating").focus();
  await tab.page.keyboard.press("Enter");
  await eventually(() => undo(tab, 1).isVisible());
  // It stands above the buttons.
  await tab.page.keyboard.press("Shift+Tab");
  assert.equal(await undo(tab, 1).evaluate((element) => element === document.activeElement), true);
  await tab.page.keyboard.press("Enter");
  await eventually(async () => assert.equal(await tab.field(1, "status"), "Sleeping"));
  const focused = await tab.page.evaluate(() => document.activeElement?.getAttribute("value"));
  assert.equal(focused, "sleeping");
});

test("the buttons are a group with the pet's name, and the current one is pressed", async (t) => {
  const store = await startStore(t);
  await store.setStatus(1, "sleeping");
  const { name } = await store.api("GET", "/pets/1");
  for (const path of ["/pets", "/pets/1"]) {
    const tab = await openTab(t, `${store.origin}${path}`);
    await tab.isLive();
    const group = tab.page.getByRole("group", { name: `What is ${name} doing?` });
    const pressed = async () => {
      const buttons = group.getByRole("button", { pressed: true });
      assert.equal(await buttons.count(), 1);
      return buttons.getAttribute("value");
    };
    assert.equal(await pressed(), "sleeping");
    await store.setStatus(1, "eating");
    await eventually(async () => assert.equal(await pressed(), "eating"));
    await store.api("PATCH", "/pets/1", { name: "Zebedee" });
    await tab.page.getByRole("group", { name: "What is Zebedee doing?" }).waitFor();
    await store.api("PATCH", "/pets/1", { name });
    await store.setStatus(1, "sleeping");
    tab.assertNoProblems();
  }
});

test("when the time for undo is over, the focus moves to the pet's button", async (t) => {
  const store = await startStore(t);
  await store.setStatus(1, "sleeping");
  const tab = await openTab(t, `${store.origin}/pets`);
  await tab.isLive();
  await button(tab, 1, "eating").click();
  await eventually(() => undo(tab, 1).isVisible());
  await undo(tab, 1).focus();
  await eventually(async () => assert.equal(await undo(tab, 1).isVisible(), false));
  const focused = await tab.page.evaluate(() => document.activeElement?.getAttribute("value"));
  assert.equal(focused, "eating");
});

test("without JavaScript a tap on a card submits a form, and the board offers undo", async (t) => {
  const store = await startStore(t);
  await store.setStatus(1, "sleeping");
  const tab = await openTab(t, `${store.origin}/pets`, { javaScriptEnabled: false });
  await tab.send('[data-pet="1"] button[value="eating"]');
  assert.equal(tab.path, "/pets");
  assert.equal(await tab.field(1, "status"), "Eating");
  await tab.send(".undo button");
  assert.equal(await tab.field(1, "status"), "Sleeping");
  assert.equal(await tab.page.locator(".undo").count(), 0);
});
