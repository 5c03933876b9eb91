/** Sheets to print, as Chromium prints them: one page of the chosen paper, black on white, with a code that is large enough. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { BASE_PATH, freePort } from "../support/below.mjs";
import { openTab, startRescue } from "../support/browser.mjs";

const PASSWORD = "four words are enough";

/** Width and height of each paper in millimetres. */
const SHEETS = {
  "as=card": [210, 148],
  "as=card&paper=a6": [148, 105],
  "as=poster": [210, 297],
  "as=poster&paper=letter": [215.9, 279.4],
};

/** A pet with as much of everything as the form allows. */
const LONG = {
  name: "Maximilian Bartholomew the Third of the Old Mill by the Water",
  species: "Domestic dog of unknown and mixed origin",
  breed: "Bernese mountain dog, Newfoundland, Great Pyrenees and something small",
  age: "about eleven years and some months",
  colour: "black, brown and white, grey around the nose",
  about: "Likes long walks, and short ones. ".repeat(55).trim(),
};

/** Opens the sheet of a pet with these fields, as its first admin. */
async function openSheet(t, fields) {
  const listen = `127.0.0.1:${await freePort()}`;
  // Below a path, the store has a public address anyway.
  const { store, link } = await startRescue(t, BASE_PATH ? {} : { listen, "base-url": `http://${listen}` });
  const tab = await openTab(t, link);
  for (const [id, text] of Object.entries({ name: "anna", password: PASSWORD, again: PASSWORD })) {
    await tab.page.locator(`#${id}`).fill(text);
  }
  await tab.send('main button[type="submit"]');
  await tab.page.goto(`${store.origin}/pets/new`);
  await tab.fill(fields);
  await tab.send('button:text("Add")');
  return { tab, url: (query) => `${store.origin}/pets/1/print?${query}` };
}

/** Pages and paper of a PDF. */
async function print(page) {
  const pdf = (await page.pdf({ preferCSSPageSize: true, printBackground: false })).toString("latin1");
  const [, width, height] = /\/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]/.exec(pdf);
  const millimetres = [width, height].map((points) => (Number(points) / 72) * 25.4);
  return { pages: pdf.match(/\/Type \/Page\b/g).length, millimetres };
}

for (const [words, fields] of Object.entries({ "short texts": { name: "Biscuit", species: "Dog" }, "long texts": LONG })) {
  test(`each sheet is one page of its paper, with ${words}`, async (t) => {
    const { tab, url } = await openSheet(t, fields);
    for (const [query, size] of Object.entries(SHEETS)) {
      await tab.page.goto(url(query));
      const { pages, millimetres } = await print(tab.page);
      assert.equal(pages, 1, query);
      for (const side of [0, 1]) assert.ok(Math.abs(millimetres[side] - size[side]) < 0.5, `${query}: ${millimetres}`);
      await tab.page.emulateMedia({ media: "print" });
      const places = await tab.page.evaluate(() => {
        const box = (selector) => document.querySelector(selector).getBoundingClientRect().toJSON();
        return { sheet: box(".sheet"), qr: box(".sheet-qr"), link: box(".sheet-link") };
      });
      const { sheet, qr, link } = places;
      // A millimetre is 96 / 25.4 pixels. A camera reads a code of 2.5 cm from 25 cm.
      assert.ok(qr.width >= (25 * 96) / 25.4, `${query}: ${qr.width} px`);
      for (const part of [qr, link]) {
        const isInside = part.top >= sheet.top && part.bottom <= sheet.bottom + 0.5 && part.right <= sheet.right + 0.5;
        assert.ok(isInside, `${query}: ${JSON.stringify(places)}`);
      }
      await tab.page.emulateMedia({ media: null });
    }
    tab.assertNoProblems();
  });
}

test("a sheet is black on white, also on a dark screen, and has nothing of the frame", async (t) => {
  const { tab, url } = await openSheet(t, { name: "Biscuit", species: "Dog" });
  await tab.page.emulateMedia({ media: "print", colorScheme: "dark" });
  await tab.page.goto(url("as=poster"));
  const colours = await tab.page.locator(".sheet").evaluate((sheet) => {
    const { color, backgroundColor } = getComputedStyle(sheet);
    return [color, backgroundColor, getComputedStyle(sheet.querySelector(".sheet-qr path")).fill];
  });
  assert.deepEqual(colours, ["rgb(0, 0, 0)", "rgb(255, 255, 255)", "rgb(0, 0, 0)"]);
  const visible = await tab.page.locator("nav, .footer, h1, #print, .sheet-choice").evaluateAll((parts) =>
    parts.filter((part) => part.checkVisibility()).map((part) => part.localName));
  assert.deepEqual(visible, []);
});
