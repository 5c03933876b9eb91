// @ts-check
/** The hello page: the transport in use, a field to send text, and the reply. */
import { TRANSPORT_NAMES } from "../state/connection-status.js";
import { setText } from "./text.js";
/** @import { ShownTransport } from "../../petstore/transports/transport.js" */

export class HelloPage {
  /** @type {(text: string) => void} */
  onsend = () => {};
  #form;
  #input;
  #reply;
  #problem;
  #transport;

  /** @param {ParentNode} root */
  constructor(root) {
    this.#form = root.querySelector("#hello-form");
    this.#input = /** @type {HTMLInputElement | null} */ (root.querySelector("#hello-text"));
    this.#reply = root.querySelector("#hello-answer");
    this.#problem = root.querySelector("#hello-problem");
    this.#transport = root.querySelector("#hello-transport");
  }

  start() {
    this.#form?.addEventListener("submit", this.#onsubmit);
  }

  stop() {
    this.#form?.removeEventListener("submit", this.#onsubmit);
  }

  /** @param {ShownTransport | null} name  Null while not connected. */
  drawTransport(name) {
    if (this.#transport) setText(this.#transport, name ? TRANSPORT_NAMES[name] : "none right now");
  }

  /** Shows the server's hello, until there is a reply. */
  drawHello() {
    if (this.#reply?.textContent === "") setText(this.#reply, "hello");
  }

  /** @param {string} text */
  drawReply(text) {
    if (this.#reply) setText(this.#reply, text);
    if (this.#problem) setText(this.#problem, "");
  }

  /** @param {ShownTransport | null} transport  The transport of the page itself. */
  drawFailure(transport) {
    if (!this.#problem) return;
    const isBlocked = transport !== "ws" && transport !== null;
    const text = isBlocked
      ? `The echo needs WebSocket, which is blocked here. This page is live over ${TRANSPORT_NAMES[transport]}.`
      : "No reply. Please try again in a moment.";
    setText(this.#problem, text);
  }

  #onsubmit = (/** @type {Event} */ event) => {
    event.preventDefault();
    if (this.#input) this.onsend(this.#input.value);
  };
}
