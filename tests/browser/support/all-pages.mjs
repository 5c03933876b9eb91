/**
 * Every page of the program, for checks that hold on all of them: those of the demo, those that visitors of a rescue see, and
 * those of its first admin.
 */
import { openTab, startRescue, startStore } from "./browser.mjs";
import { BASE_PATH } from "./below.mjs";

const PASSWORD = "four words are enough";
const PIN = "4711";

/** The date where no time zone is set. */
const TODAY = new Date().toISOString().slice(0, "2026-11-27".length);

/** Paths by reader. The pages of staff are complete only if something has happened: `startAll` does it. */
const PATHS = {
  demo: [
    "/pets",
    "/pets?species=dog&sort=name",
    "/pets?q=nothing",
    "/pets/1",
    "/pets/new",
    "/pets/1/edit",
    "/pets/1/history",
    "/pets/1/print?as=card",
    "/pets/1/photos",
    "/pets/1/share",
    "/share",
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
    "/pets?doing=at-the-vet",
    "/pets/1",
    `/pets/1/days/${TODAY}`,
    "/board",
    "/board?slide=1",
    "/embed/pets/1?theme=light",
    "/embed/pets/404",
    "/embed/board?theme=dark",
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
    "/pets/1/print?as=card&paper=a6",
    "/pets/1/print?as=poster",
    "/pets/1/print?as=poster&paper=letter",
    "/pets/1/photos",
    `/pets/1/days/${TODAY}`,
    "/pets/import",
    "/trash",
    "/trash/4",
    "/settings",
    "/settings/logo",
    "/settings/activities",
    "/settings/webhooks",
    "/settings/webhooks/new",
    "/settings/activities/new",
    "/settings/activities/at-the-vet",
    "/account",
    "/account/sessions",
    "/staff",
    "/staff/boris?do=remove",
    "/audit",
  ],
};

/** Answers to forms: the path of the form, and what is entered in its fields. */
const ANSWERS = [
  { words: "errors", path: "/pets/new", entered: { "#species": "Dog" } },
  { words: "namesake", path: "/pets/new", entered: { "#name": "Otto", "#species": "Guinea pig" } },
  { words: "errors", path: "/settings/activities/new", entered: { "#colour": "#ffd700" } },
  { words: "preview", path: "/pets/import", entered: { "#text": "Name,Species,Colour\nMiso,Cat,black\nOtto,Guinea pig," } },
  { words: "problems", path: "/pets/import", entered: { "#text": "Name,Species\n,Cat" } },
];

/**
 * A page, or the answer to the form on it, if something is entered.
 * @typedef {{ name: string, url: string, storageState?: any, entered?: Record<string, string> }} Page
 */

/**
 * Opens a page, and sends its form if something is entered there.
 * @param {import("playwright-core").Page} page
 * @param {Page} one
 */
export async function visit(page, { url, entered }) {
  const answer = await page.goto(url);
  if (!entered) return answer;
  for (const [field, text] of Object.entries(entered)) await page.locator(field).fill(text);
  const [sent] = await Promise.all([page.waitForNavigation(), page.locator('main form button[type="submit"]').last().click()]);
  return sent;
}

/**
 * Starts a demo, and a rescue with two accounts, three pets, one of them private, and an activity of its own.
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
  await addActivity(tab, store.origin);
  await tab.page.goto(`${store.origin}/account`);
  const token = await tab.page.locator('a[href*="/account/tokens/"]').getAttribute("href");
  const storageState = await tab.page.context().storageState();
  const asAdmin = (path, rest) => ({ name: `admin ${path}`, url: store.origin + path, storageState, ...rest });
  const answers = ANSWERS.map(({ words, path, entered }) => asAdmin(path, { name: `admin ${path} ${words}`, entered }));
  const pages = Object.entries(PATHS).flatMap(([reader, paths]) => {
    const origin = reader === "demo" ? demo.origin : store.origin;
    const cookies = reader === "admin" ? { storageState } : {};
    return paths.map((path) => ({ name: `${reader} ${path}`, url: origin + path, ...cookies }));
  });
  const station = await shareTablet(t, store.origin);
  return [...pages, ...answers, asAdmin(token.slice(BASE_PATH.length)), invitation, ...station];
}

/** Adds an activity of the rescue's own, which the first pet is doing now, with a note. */
async function addActivity(tab, origin) {
  await tab.page.goto(`${origin}/settings/activities/new`);
  await tab.page.locator("#name").fill("At the vet");
  await tab.send('button:text("Add activity")');
  await tab.page.goto(`${origin}/pets/1`);
  await tab.page.getByText("Add a note or an earlier start").click();
  await tab.page.locator("#status").selectOption("at-the-vet");
  await tab.page.locator("#note").fill("Back at 3.");
  await tab.page.locator('[data-status-form] button[type="submit"]').click();
  await tab.shows(1, "status", "At the vet");
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
