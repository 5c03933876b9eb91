// @ts-check
/**
 * The demo's switch for a bad network. A choice holds for the tab, on all of its pages: it is kept in the session's
 * storage, and in the page's address, which wins and can be linked to. Choosing loads the page again, so that it
 * meets the network as a visitor would.
 */

const KEY = "petstore.chaos";

/** The parameter of the page's address; the live routes have one of the same name. */
const PARAMETER = "chaos";

export class ChaosSwitch {
  /** What to ask the live routes for; "" when the network is to stay as it is. */
  mode = "";
  #select;
  #window;

  /**
   * @param {Document} document
   * @param {Window} window
   */
  constructor(document, window) {
    this.#window = window;
    // Absent outside the demo.
    this.#select = /** @type {HTMLSelectElement | null} */ (document.querySelector("[data-chaos='on'] #chaos"));
  }

  start() {
    if (!this.#select) return;
    const asked = new URL(this.#window.location.href).searchParams.get(PARAMETER);
    if (asked !== null) this.#keep(this.#known(asked));
    this.mode = this.#known(asked ?? this.#kept());
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
    this.#keep(mode);
    const address = new URL(location.href);
    if (mode) address.searchParams.set(PARAMETER, mode);
    else address.searchParams.delete(PARAMETER);
    history.replaceState(history.state, "", address);
    location.reload();
  };

  /**
   * What is no choice of the switch is none at all: the server would refuse it on every transport.
   * @param {string} mode
   */
  #known(mode) {
    return [...(this.#select?.options ?? [])].some(({ value }) => value === mode) ? mode : "";
  }

  #kept() {
    try {
      return this.#window.sessionStorage.getItem(KEY) ?? "";
    } catch {
      // Storage can be forbidden; the address still holds the choice for this page.
      return "";
    }
  }

  /** @param {string} mode */
  #keep(mode) {
    try {
      if (mode) this.#window.sessionStorage.setItem(KEY, mode);
      else this.#window.sessionStorage.removeItem(KEY);
    } catch {
      // As above.
    }
  }
}
