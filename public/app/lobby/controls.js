// @ts-check
/**
 * The controls of the screen in the lobby, for whoever sets it up. They and the pointer are hidden while nobody uses a
 * pointer, a keyboard or the touch screen.
 */
/** @import { Clock } from "../../petstore/clock.js" */

const IDLE_MS = 3_000;

export class Controls {
  #document;
  #clock;
  #controls;
  #fullScreen;
  #maySleep;
  #cancel = () => {};

  /**
   * @param {object} options
   * @param {Document} options.document
   * @param {Pick<Clock, "after">} options.clock
   */
  constructor({ document, clock }) {
    this.#document = document;
    this.#clock = clock;
    this.#controls = document.querySelector("#controls");
    this.#fullScreen = document.querySelector("#full-screen");
    this.#maySleep = document.querySelector("#may-sleep");
  }

  start() {
    this.#controls?.removeAttribute("hidden");
    for (const type of ["pointermove", "pointerdown", "keydown"]) this.#document.addEventListener(type, () => this.#wake());
    this.#document.addEventListener("fullscreenchange", () => this.#drawFullScreen());
    this.#fullScreen?.addEventListener("click", () => this.#document.documentElement.requestFullscreen().catch(() => {}));
    this.#drawFullScreen();
    this.#wake();
  }

  /** @param {boolean} isHeld  True if the browser keeps the screen on. */
  drawLock(isHeld) {
    this.#maySleep?.toggleAttribute("hidden", isHeld);
  }

  #wake() {
    delete this.#document.body.dataset.idle;
    this.#cancel();
    this.#cancel = this.#clock.after(IDLE_MS, () => {
      // The focus of a keyboard stays visible.
      if (!this.#controls?.querySelector(":focus-visible")) this.#document.body.dataset.idle = "yes";
    });
  }

  #drawFullScreen() {
    const { fullscreenEnabled, fullscreenElement } = this.#document;
    this.#fullScreen?.toggleAttribute("hidden", !fullscreenEnabled || fullscreenElement !== null);
  }
}
