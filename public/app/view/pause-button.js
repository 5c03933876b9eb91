// @ts-check
/** The button that pauses a moving page (WCAG 2.2.2). The server renders it hidden, because it needs JavaScript. */
import { setText } from "./text.js";

export class PauseButton {
  /** @type {() => void} */
  onpause = () => {};
  /** @type {() => void} */
  onresume = () => {};
  #button;
  #isPaused = false;

  /** @param {ParentNode} root */
  constructor(root) {
    this.#button = root.querySelector("#pause");
  }

  start() {
    this.#draw();
    this.#button?.addEventListener("click", this.#onclick);
    this.#button?.removeAttribute("hidden");
  }

  stop() {
    this.#button?.removeEventListener("click", this.#onclick);
    this.#button?.setAttribute("hidden", "");
  }

  #onclick = () => {
    this.#isPaused = !this.#isPaused;
    this.#draw();
    if (this.#isPaused) this.onpause();
    else this.onresume();
  };

  #draw() {
    if (!this.#button) return;
    this.#button.setAttribute("aria-pressed", String(this.#isPaused));
    setText(this.#button, this.#isPaused ? "Resume" : "Pause");
  }
}
