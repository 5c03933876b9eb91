/** Adding photos in a real browser: several at the same time, dropped ones, refused ones, and a connection that is lost. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { eventually, openTab, startStore } from "../support/browser.mjs";

/** @param {string} name */
const portrait = (name) => fileURLToPath(new URL(`../../../src/simulator/portraits/${name}.jpg`, import.meta.url));

/** The head of a file as an iPhone writes it. */
const HEIC = Buffer.concat([Buffer.from([0, 0, 0, 24]), Buffer.from("ftypheic"), Buffer.alloc(64)]);

/** Opens the page for the photos of a new pet. */
async function openPhotos(t) {
  const store = await startStore(t);
  const { id } = await store.api("POST", "/pets", { name: "Mossie", species: "Cat" });
  const tab = await openTab(t, `${store.origin}/pets/${id}/photos`);
  const lines = tab.page.locator(".photo-progress li");
  return { store, id, tab, lines };
}

test("photos are added as soon as they are chosen or dropped, and a file that cannot be one says what to do", async (t) => {
  const { store, id, tab, lines } = await openPhotos(t);
  const board = await openTab(t, `${store.origin}/pets/${id}`);
  await board.isLive();
  await tab.page.locator("#photo").setInputFiles(["biscuit", "miso"].map(portrait));
  await eventually(async () => (await tab.page.locator(".photo-item img").count()) === 2);
  await eventually(async () => (await board.page.locator(".gallery img").count()) === 2);

  const otto = readFileSync(portrait("otto"), "base64");
  const large = { name: "large.jpg", mimeType: "image/jpeg", buffer: Buffer.alloc(20 * 1024 * 1024 + 1) };
  await tab.page.locator("#photo").setInputFiles([{ name: "IMG_1.HEIC", mimeType: "image/heic", buffer: HEIC }, large]);
  await eventually(async () => assert.match(await lines.nth(0).innerText(), /^IMG_1.HEIC: Browsers can't show HEIC photos. Export this one as JPEG./));
  await eventually(async () => assert.match(await lines.nth(1).innerText(), /^large.jpg: This file is larger than 20 MB. Make the photo smaller/));

  // A file that misses the form is added too, and the page stays.
  await tab.page.evaluate((data) => {
    const files = new DataTransfer();
    const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
    files.items.add(new File([bytes], "otto.jpg", { type: "image/jpeg" }));
    document.body.dispatchEvent(new DragEvent("drop", { dataTransfer: files, bubbles: true, cancelable: true }));
  }, otto);
  await eventually(async () => assert.equal(await lines.nth(2).innerText(), "otto.jpg: added"));
  await tab.send('button:text("Show the photos")');
  assert.equal(await tab.page.locator(".photo-item img").count(), 3);
  assert.deepEqual(tab.problems.filter((problem) => !problem.includes("415")), []);
});

test("a photo whose connection was lost is sent again with a tap", async (t) => {
  const { store, id, tab, lines } = await openPhotos(t);
  await tab.page.route("**/api/v1/pets/*/photos", (route) => route.abort("connectionreset"), { times: 1 });
  await tab.page.locator("#camera").setInputFiles(portrait("biscuit"));
  await eventually(async () => assert.match(await lines.first().innerText(), /^biscuit.jpg: The connection was lost./));
  await tab.send('button:text("Try again")');
  assert.equal(await tab.page.locator(".photo-item img").count(), 1);
  const { photos } = await store.api("GET", `/pets/${id}`);
  assert.equal(photos.length, 1);
});
