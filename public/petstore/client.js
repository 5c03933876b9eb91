// @ts-check
/**
 * The entry of the client for pages of any origin, served as `/live/client.js`: exports `watch`, and defines the elements
 * `<pet-status>` and `<pet-board>`.
 */
import { LiveElement } from "./elements/live-element.js";
import { PetBoard } from "./elements/pet-board.js";
import { PetStatus } from "./elements/pet-status.js";
import { WatchPool } from "./elements/watch-pool.js";
import { watch } from "./watch.js";

export { watch };

// A second server on the page brings this script again. The elements of the first one serve both.
if (!customElements.get("pet-status")) {
  LiveElement.page = { pool: new WatchPool(watch), site: import.meta.url.replace(/\/live\/[^/]*$/, "") };
  customElements.define("pet-status", PetStatus);
  customElements.define("pet-board", PetBoard);
}
