// @ts-check
/** The hello page: which transport the server's hello came over, a line to say something, and what came back. */
import { setText } from "./text.js";

/** @typedef {import("../live/transports/transport.js").TransportName} TransportName */

const TRANSPORT_TEXT = { ws: "WebSocket", sse: "SSE", poll: "long poll", short: "short poll" };

export class Hello {
  /** @type {(text: string) => void} */
  onsay = () => {};
  #form;
  #input;
  #answer;
  #problem;
  #transport;

  /** @param {ParentNode} root */
  constructor(root) {
    this.#form = root.querySelector("#hello-form");
    this.#input = /** @type {HTMLInputElement | null} */ (root.querySelector("#hello-text"));
    this.#answer = root.querySelector("#hello-answer");
    this.#problem = root.querySelector("#hello-problem");
    this.#transport = root.querySelector("#hello-transport");
  }

  start() {
    this.#form?.addEventListener("submit", this.#onsubmit);
  }

  stop() {
    this.#form?.removeEventListener("submit", this.#onsubmit);
  }

  /** @param {TransportName | null} name  Null while there is none. */
  drawTransport(name) {
    if (this.#transport) setText(this.#transport, name ? TRANSPORT_TEXT[name] : "none right now");
  }

  /** The server's own word, until somebody has said something. */
  drawHello() {
    if (this.#answer?.textContent === "") setText(this.#answer, "hello");
  }

  /** @param {string} text */
  drawAnswer(text) {
    if (this.#answer) setText(this.#answer, text);
    if (this.#problem) setText(this.#problem, "");
  }

  /**
   * Beside the answer and not in its place: this is the page speaking, not the server.
   * @param {TransportName | null} live  What the page itself is live over.
   */
  drawNoEcho(live) {
    if (this.#problem) setText(this.#problem, noEchoText(live));
  }

  #onsubmit = (/** @type {Event} */ event) => {
    event.preventDefault();
    if (this.#input) this.onsay(this.#input.value);
  };
}

/** @param {TransportName | null} live */
function noEchoText(live) {
  if (live === "ws" || live === null) return "No answer came back. Please try again in a moment.";
  return `The echo needs WebSocket, which does not get through here. This page is live over ${TRANSPORT_TEXT[live]}.`;
}
