// @ts-check
/**
 * The select of the demo that simulates a bad network. The choice applies to all pages of the tab: it is kept in session
 * storage, and in the URL, which takes precedence and can be linked to. A choice reloads the page, so that it loads as it
 * would on that network.
 */

const KEY = "petstore.chaos";

/** Query parameter of the page. The live routes have one of the same name. */
const PARAMETER = "chaos";

export class ChaosSelect {
  /** The `chaos` parameter for the live routes; "" for the real network. */
  mode = "";
  #select;
  #window;

  /** @param {Document} document @param {Window} window */
  constructor(document, window) {
    this.#window = window;
    // Missing outside the demo.
    this.#select = /** @type {HTMLSelectElement | null} */ (document.querySelector("[data-chaos='on'] #chaos"));
  }

  start() {
    if (!this.#select) return;
    const requested = new URL(this.#window.location.href).searchParams.get(PARAMETER);
    if (requested !== null) this.#store(this.#known(requested));
    this.mode = this.#known(requested ?? this.#stored());
    this.#select.value = this.mode;
    this.#select.addEventListener("change", this.#onchange);
    this.#select.disabled = false;
  }

  stop() {
    if (!this.#select) return;
    this.#select.removeEventListener("change", this.#onchange);
    this.#select.disabled = true;
  }

  #onchange = () => {
    const { history, location } = this.#window;
    const mode = this.#select?.value ?? "";
    this.#store(mode);
    const url = new URL(location.href);
    if (mode) url.searchParams.set(PARAMETER, mode);
    else url.searchParams.delete(PARAMETER);
    history.replaceState(history.state, "", url);
    location.reload();
  };

  /**
   * Returns "" for a mode that is not an option: the server would refuse it on every transport.
   * @param {string} mode
   */
  #known(mode) {
    return [...(this.#select?.options ?? [])].some(({ value }) => value === mode) ? mode : "";
  }

  #stored() {
    try {
      return this.#window.sessionStorage.getItem(KEY) ?? "";
    } catch {
      // Storage can be forbidden. The URL still has the choice for this page.
      return "";
    }
  }

  /** @param {string} mode */
  #store(mode) {
    try {
      if (mode) this.#window.sessionStorage.setItem(KEY, mode);
      else this.#window.sessionStorage.removeItem(KEY);
    } catch {
      // As above.
    }
  }
}
