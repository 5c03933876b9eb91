// @ts-check
/** The page's one polite live region. */

export class Announcer {
  #region;

  /** @param {ParentNode} root */
  constructor(root) {
    this.#region = root.querySelector("#announcer");
  }

  /**
   * Set also where it is the same as before: said again means happened again.
   * @param {string} sentence
   */
  say(sentence) {
    if (this.#region) this.#region.textContent = sentence;
  }
}
