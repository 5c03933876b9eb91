// @ts-check
/** The base of the elements: finds the server of an element, joins its watch, and draws at most once per frame. */
import { checkSite } from "../watch-options.js";
import { AsOf } from "./as-of.js";
import { sheet } from "./sheet.js";
/** @import { Watch } from "../watch.js" */
/** @import { Server, WatchPool } from "./watch-pool.js" */

/** The path of our pages: what is before their own part is the path of the site. */
const PAGE_PATH = /^(.*)\/pets(\/|$)/;

export class LiveElement extends HTMLElement {
  static observedAttributes = ["origin", "pet"];
  /** Set once by the entry of the client, before the elements are defined. @type {{ pool: WatchPool, site: string }} */
  static page;
  /** The shadow tree. */
  root = this.attachShadow({ mode: "open" });
  internals = this.attachInternals();
  /** The note of its age, which is shown while offline. */
  asOf = new AsOf();
  /** The address of the site; "" while the element is not in the page. */
  site = "";
  /** @type {Server | null} Null while the element is not in the page. */
  #server = null;
  /** This element in the pool. */
  #member = { pet: /** @type {string | null} */ (null), update: () => this.#drawSoon() };
  #frame = 0;
  /** There is something to see. */
  #isDrawn = false;
  /** The server and the pet of what is shown. */
  #subject = "";

  constructor() {
    super();
    this.root.adoptedStyleSheets = [sheet];
    this.internals.role = "group";
    // The parser may add the link after the element.
    this.root.addEventListener("slotchange", () => this.isConnected && this.#findServer() !== this.site && this.#join());
  }

  connectedCallback() {
    this.#join();
  }

  disconnectedCallback() {
    this.#leave();
  }

  attributeChangedCallback() {
    if (this.isConnected) this.#join();
  }

  /** Returns the id of the pet; null for every pet. @returns {string | null} */
  get petId() {
    return null;
  }

  /** Removes what is shown: it is that of another pet or server. */
  clear() {}

  /** Draws the current state of the watch. @param {Watch} _watch  Has received a snapshot. */
  draw(_watch) {}

  #join() {
    this.#leave();
    const pet = (this.#member.pet = this.petId);
    this.site = checkSite(this.#findServer());
    const subject = `${this.site} ${pet}`;
    if (subject !== this.#subject) this.#clear();
    this.#subject = subject;
    this.#server = LiveElement.page.pool.server(this.site);
    this.#server.add(this.#member);
  }

  #leave() {
    this.#server?.remove(this.#member);
    this.#server = null;
    this.site = "";
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
  }

  #clear() {
    this.#isDrawn = false;
    this.asOf.element.textContent = "";
    this.clear();
  }

  #drawSoon() {
    this.#frame ||= requestAnimationFrame(() => {
      this.#frame = 0;
      const watch = this.#server?.watch;
      if (!watch) return;
      this.setAttribute("connection", watch.connection.state);
      // Without a snapshot of its pets the element shows what it showed before.
      if (watch.cursor) this.draw(watch);
      this.#isDrawn ||= watch.cursor !== "";
      if (this.#isDrawn) this.asOf.draw(watch.connection);
    });
  }

  /** Returns the attribute, or the server that a link in the element leads to, or the server of this script. */
  #findServer() {
    const link = this.querySelector("a");
    const [, basePath] = PAGE_PATH.exec(link?.pathname ?? "") ?? [];
    return this.getAttribute("origin") ?? (link && basePath !== undefined ? link.origin + basePath : LiveElement.page.site);
  }
}
