// @ts-check
/**
 * The photos of a pet: all of them, or the cover alone. An image that shows the same photo stays as it is, so that it is not
 * loaded again. Paths of other widths follow from that of the largest file.
 */
import { basePath } from "../page/site.js";

/** @typedef {{ url: string, alt: string, width: number, height: number, widths: number[] }} Photo */

/**
 * @param {HTMLElement} place  `data-photos` is how wide its images are shown, `data-cover` if only the first one is.
 * @param {string} json  The photos of a message; empty if it has none.
 */
export function drawPhotos(place, json) {
  /** @type {Photo[]} */
  const photos = JSON.parse(json || "[]");
  if (place.dataset.cover) photos.splice(1);
  place.replaceChildren(...photos.map(({ url, alt, width, height, widths }) => {
    const srcset = widths.map((width) => `${basePath()}${url.replace(/\d+\.jpg$/, `${width}.jpg`)} ${width}w`).join(", ");
    /** @type {HTMLImageElement | undefined} */
    let image = [...place.querySelectorAll("img")].find((image) => image.srcset === srcset);
    // The size keeps the place of the photo before it is loaded.
    image ??= Object.assign(document.createElement("img"), { loading: "lazy", width, height, sizes: place.dataset.photos, srcset });
    image.alt = alt;
    return image;
  }));
}
