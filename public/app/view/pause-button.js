// @ts-check
/** The button that pauses a moving page (WCAG 2.2.2). The server renders it hidden, because it needs JavaScript. */
import { setText } from "./text.js";

export class PauseButton {
  /** @type {(isPaused: boolean) => void} */
  ontoggle = () => {};
  #button;
  #isPaused = false;

  /** @param {ParentNode} root */
  constructor(root) {
    this.#button = root.querySelector("#pause");
  }

  start() {
    this.#draw();
    this.#button?.addEventListener("click", () => this.#toggle());
    this.#button?.removeAttribute("hidden");
  }

  #toggle() {
    this.#isPaused = !this.#isPaused;
    this.#draw();
    this.ontoggle(this.#isPaused);
  }

  #draw() {
    if (!this.#button) return;
    this.#button.setAttribute("aria-pressed", String(this.#isPaused));
    setText(this.#button, this.#isPaused ? "Resume" : "Pause");
  }
}
