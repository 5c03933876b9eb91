// @ts-check
/** The title of the tab, with a prefix while the page is offline. */

const OFFLINE_PREFIX = "(offline) ";

export class Title {
  #document;
  #text;
  #isOffline = false;

  /** @param {Document} document */
  constructor(document) {
    this.#document = document;
    this.#text = document.title;
  }

  /** @param {string} text */
  setText(text) {
    this.#text = text;
    this.#draw();
  }

  /** @param {boolean} isOffline */
  setOffline(isOffline) {
    this.#isOffline = isOffline;
    this.#draw();
  }

  #draw() {
    const title = (this.#isOffline ? OFFLINE_PREFIX : "") + this.#text;
    if (this.#document.title !== title) this.#document.title = title;
  }
}
