// @ts-check
/** The title of the tab: what the page is about, and a word before it while that is only the last known. */

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

  /** @param {string} text  What the page is about now. */
  draw(text) {
    this.#text = text;
    this.#show();
  }

  /** @param {boolean} isOffline */
  mark(isOffline) {
    this.#isOffline = isOffline;
    this.#show();
  }

  #show() {
    const title = (this.#isOffline ? OFFLINE_PREFIX : "") + this.#text;
    if (this.#document.title !== title) this.#document.title = title;
  }
}
