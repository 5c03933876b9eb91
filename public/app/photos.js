// @ts-check
/** The script of the page on which staff arrange the photos of a pet: sends files one by one, with their progress. */
import { startClocks } from "./page/clocks.js";
import { sendPhoto } from "./server/photos.js";
import { PhotoUpload } from "./view/photo-upload.js";

startClocks();
const form = /** @type {HTMLFormElement | null} */ (document.querySelector("form[data-upload]"));
const request = () => new XMLHttpRequest();
const wait = (/** @type {number} */ ms) => new Promise((resolve) => setTimeout(resolve, ms));
if (form) {
  const url = form.dataset.upload ?? "";
  new PhotoUpload({ form, send: (sent) => sendPhoto({ request, wait, url, ...sent }), reload: () => location.reload() }).start();
}
