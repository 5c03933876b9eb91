/**
 * Every page of the program, for checks that hold on all of them: those of the demo, those that visitors of a rescue see, and
 * those of its first admin.
 */
import { openTab, startRescue, startStore } from "./browser.mjs";

const PASSWORD = "four words are enough";
const PIN = "4711";

/** The date where no time zone is set. */
const TODAY = new Date().toISOString().slice(0, "2026-11-27".length);

/** Paths by reader. The pages of staff are complete only if something has happened: `startAll` does it. */
const PATHS = {
  demo: [
    "/pets",
    "/pets/1",
    "/pets/new",
    "/pets/1/edit",
    "/pets/1/history",
    "/pets/1/print?as=card",
    "/board",
    `/pets/1/days/${TODAY}`,
    "/pets/1/days/2020-02-03",
    "/hello",
    "/live/doctor",
    "/api/docs",
    "/pets/404",
  ],
  visitor: [
    "/pets",
    "/pets/1",
    `/pets/1/days/${TODAY}`,
    "/board",
    "/board?slide=1",
    "/pets/404",
    "/sign-in",
    "/sign-in?next=/account",
    "/live/doctor",
  ],
  admin: [
    "/pets",
    "/pets?layout=rows",
    "/pets/1",
    "/pets/2",
    "/pets/new",
    "/pets/1/edit",
    "/pets/1/history",
    "/pets/1/print?as=card",
    "/pets/import",
    "/trash",
    "/trash/4",
    "/settings",
    "/settings/logo",
    "/account",
    "/account/sessions",
    "/staff",
    "/staff/boris?do=remove",
    "/audit",
  ],
};

/** @typedef {{ name: string, url: string, storageState?: any }} Page */

/**
 * Starts a demo, and a rescue with two accounts and three pets, one of them private.
 * @param {import("node:test").TestContext} t
 * @returns {Promise<Page[]>} Its pages, with the cookies of who reads them.
 */
export async function startAll(t) {
  const [demo, { store, link }] = await Promise.all([startStore(t), startRescue(t)]);
  const tab = await openTab(t, link);
  const invitation = { name: "invitation", url: await inviteBoris(tab, store.origin) };
  for (const [name, state] of [["Otto", "on-hold"], ["Mossie", "private"], [`Wind${"y".repeat(50)}`, "available"]]) {
    await tab.page.goto(`${store.origin}/pets/new`);
    await tab.fill({ name, species: "Guinea pig", breed: "Abyssinian", about: "Shy at first." });
    await tab.page.locator(`input[name="state"][value="${state}"]`).check();
    await tab.send('main form button[type="submit"]');
  }
  await tab.page.goto(`${store.origin}/pets/new`);
  await tab.fill({ name: "Rosie", species: "Dog" });
  await tab.send('main form button[type="submit"]');
  await tab.page.goto(`${store.origin}/pets/4`);
  await tab.page.getByText("Remove this pet").click();
  await tab.send(".manage form button");
  const storageState = await tab.page.context().storageState();
  const pages = Object.entries(PATHS).flatMap(([reader, paths]) => {
    const origin = reader === "demo" ? demo.origin : store.origin;
    const cookies = reader === "admin" ? { storageState } : {};
    return paths.map((path) => ({ name: `${reader} ${path}`, url: origin + path, ...cookies }));
  });
  const station = await shareTablet(t, store.origin);
  return [...pages, invitation, ...station];
}

/** Shares a tablet, at which it is the turn of the admin. Returns its pages. */
async function shareTablet(t, origin) {
  const tablet = await openTab(t, `${origin}/sign-in`);
  await tablet.page.locator("#name").fill("anna");
  await tablet.page.locator("#password").fill(PASSWORD);
  await tablet.send('main button[type="submit"]');
  await tablet.page.goto(`${origin}/account`);
  await tablet.send('button:text("Share this device")');
  await tablet.page.getByLabel("anna").check();
  await tablet.page.locator("#pin").fill(PIN);
  await tablet.send('button:text("Start")');
  const storageState = await tablet.page.context().storageState();
  const paths = ["/pets", "/sign-in", "/sign-in?with=password"];
  return paths.map((path) => ({ name: `tablet ${path}`, url: origin + path, storageState }));
}

/** Makes the first admin, who invites Boris and names the rescue. Returns the link for Boris. */
async function inviteBoris(tab, origin) {
  await tab.page.locator("#name").fill("anna");
  await tab.page.locator("#password").fill(PASSWORD);
  await tab.page.locator("#again").fill(PASSWORD);
  await tab.send('main button[type="submit"]');
  await tab.page.locator("#mail").fill("hello@rescue.example");
  await tab.page.locator("#phone").fill("+44 20 7946 0000");
  await tab.send('main form button[type="submit"]');
  await tab.page.goto(`${origin}/account`);
  await tab.page.locator("#pin").fill(PIN);
  await tab.send('button:text("Set PIN")');
  await tab.page.locator("#token-name").fill("Kennel display");
  await tab.send('button:text("Create token")');
  await tab.page.goto(`${origin}/staff`);
  await tab.page.locator("#name").fill("Boris");
  await tab.send('button:text("Create invitation")');
  return (await tab.page.locator(".secret").textContent()).trim();
}
