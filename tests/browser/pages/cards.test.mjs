/** The cards of the board: the photo or a silhouette of the species, with the status as a mark on it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { eventually, openTab, startStore } from "../support/browser.mjs";

/** The drawing that stands for the photo of a pet, as the style sheet has it. */
const silhouette = (tab, pet) => tab.page.locator(`[data-pet="${pet}"] .card-photo`).evaluate((place) => {
  const { content, maskImage, webkitMaskImage } = getComputedStyle(place, "::before");
  return content === "none" ? "" : maskImage || webkitMaskImage;
});

test("a pet without a photo has the silhouette of its species, live, and its status as a mark on it", async (t) => {
  const store = await startStore(t, { pets: 1 });
  const [dog, iguana] = [await store.api("POST", "/pets", { name: "Ziggy", species: "Dog" }),
    await store.api("POST", "/pets", { name: "Tango", species: "Iguana" })];
  const tab = await openTab(t, `${store.origin}/pets`);
  await tab.isLive();
  const drawings = await eventually(async () => {
    const found = [await silhouette(tab, dog.id), await silhouette(tab, iguana.id)];
    assert.ok(found.every((drawing) => drawing.startsWith("url(")), `${found}`);
    return found;
  });
  assert.notEqual(drawings[0], drawings[1]);
  assert.equal(await silhouette(tab, 1), "", "the first pet has a photo");

  // A pet that is added later, and a species that is edited.
  const added = await store.api("POST", "/pets", { name: "Rex", species: "dog" });
  await eventually(async () => assert.equal(await silhouette(tab, added.id), drawings[0]));
  await store.api("PATCH", `/pets/${iguana.id}`, { species: "Dog" });
  await eventually(async () => assert.equal(await silhouette(tab, iguana.id), drawings[0]));

  for (const pet of [1, dog.id]) {
    await store.setStatus(pet, "bathing");
    await tab.shows(pet, "status", "Bathing");
    const card = tab.page.locator(`[data-pet="${pet}"]`);
    const [photo, mark, name] = [await card.locator(".card-photo").boundingBox(), await card.locator(".status").boundingBox(),
      await card.locator(".card-name").boundingBox()];
    assert.ok(mark.y > photo.y && mark.y + mark.height <= photo.y + photo.height + 1, "the mark is on the photo");
    assert.ok(name.y >= photo.y + photo.height, "the name is below the photo");
  }
  tab.assertNoProblems();
});
