/** The photos of a pet: drawn from a message, and kept where they are the same. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { drawPhotos } from "../../../public/app/view/photos.js";
import { fake } from "../support/fakes.mjs";

class FakeImage {
  loads = 0;
  alt = "";
  sizes = "";
  #srcset = "";

  get srcset() {
    return this.#srcset;
  }

  set srcset(sources) {
    this.loads += 1;
    this.#srcset = sources;
  }
}

/** @param {{ photos: string, cover?: string }} dataset */
function openPlace(dataset) {
  globalThis.document = fake({ body: { dataset: { base: "" } }, createElement: () => new FakeImage() });
  /** @type {FakeImage[]} */
  const images = [];
  const place = {
    dataset,
    querySelectorAll: () => images,
    replaceChildren: (/** @type {FakeImage[]} */ ...children) => void images.splice(0, images.length, ...children),
  };
  const draw = (/** @type {unknown} */ list) => drawPhotos(fake(place), JSON.stringify(list));
  return { images, draw, place };
}

const photo = (/** @type {string} */ hash) => ({
  url: `/photos/${hash}-900.jpg`,
  alt: `Photo ${hash}`,
  width: 900,
  height: 600,
  widths: [400, 900],
});

test("a photo is drawn with its sizes, and is not loaded again", () => {
  const { images, draw } = openPlace({ photos: "94vw" });
  draw([photo("a"), photo("b")]);
  assert.deepEqual(images.map(({ alt, sizes }) => [alt, sizes]), [["Photo a", "94vw"], ["Photo b", "94vw"]]);
  assert.equal(images[0]?.srcset, "/photos/a-400.jpg 400w, /photos/a-900.jpg 900w");
  draw([photo("b"), { ...photo("a"), alt: "Asleep" }]);
  assert.deepEqual(images.map(({ alt, loads }) => [alt, loads]), [["Photo b", 1], ["Asleep", 1]]);
  draw([]);
  assert.equal(images.length, 0);
});

test("a card shows the cover alone", () => {
  const { images, draw } = openPlace({ photos: "94vw", cover: "yes" });
  draw([photo("a"), photo("b")]);
  draw([photo("b"), photo("a")]);
  assert.deepEqual(images.map(({ alt, loads }) => [alt, loads]), [["Photo b", 1]]);
});

test("a message without photos removes them", () => {
  const { images, draw, place } = openPlace({ photos: "94vw" });
  draw([photo("a")]);
  drawPhotos(fake(place), "");
  assert.equal(images.length, 0);
});
