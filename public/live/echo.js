// @ts-check
/**
 * Says something to the server and hands back what it answers, over the WebSocket of the hello page.
 *
 * The socket is opened when there is something to say, kept while it lasts, and opened anew after that.
 */
import { ignore } from "./transports/transport.js";
import { socketUrl } from "./transports/url.js";

/** After this long no answer will come: something on the way opens sockets and eats what they carry. */
const ANSWER_TIMEOUT_MS = 5_000;

const OPEN = 1;

export class Echo {
  /** @type {(text: string) => void} */
  onanswer = ignore;
  /** What was said is lost; the next `say` tries again. */
  onfail = ignore;
  #WebSocket;
  #url;
  #clock;
  /** @type {WebSocket | null} */
  #socket = null;
  /** @type {string[]} Said before the socket was open. */
  #waiting = [];
  #isOwedAnAnswer = false;
  #cancelTimeout = ignore;

  /**
   * @param {object} parts
   * @param {typeof WebSocket} parts.WebSocket
   * @param {string} parts.origin
   * @param {import("./clock.js").Clock} parts.clock
   */
  constructor({ WebSocket, origin, clock }) {
    this.#WebSocket = WebSocket;
    this.#url = socketUrl(new URL("/hello/ws", origin).href);
    this.#clock = clock;
  }

  /** @param {string} text */
  say(text) {
    this.#isOwedAnAnswer = true;
    this.#cancelTimeout();
    this.#cancelTimeout = this.#clock.after(ANSWER_TIMEOUT_MS, () => this.#end());
    if (!this.#socket) this.#open();
    if (this.#socket?.readyState === OPEN) this.#socket.send(text);
    else this.#waiting.push(text);
  }

  close() {
    this.#cancelTimeout();
    this.#isOwedAnAnswer = false;
    this.#waiting = [];
    const socket = this.#socket;
    if (!socket) return;
    this.#socket = null;
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close();
  }

  #open() {
    let socket;
    try {
      socket = new this.#WebSocket(this.#url);
    } catch {
      return this.#end();
    }
    this.#socket = socket;
    socket.onopen = () => {
      for (const text of this.#waiting.splice(0)) socket.send(text);
    };
    socket.onmessage = (event) => {
      this.#isOwedAnAnswer = false;
      this.#cancelTimeout();
      this.onanswer(String(event.data));
    };
    socket.onclose = () => this.#end();
  }

  /** Closed while nothing is owed is no failure: servers end sockets that say nothing. */
  #end() {
    const hasFailed = this.#isOwedAnAnswer;
    this.close();
    if (hasFailed) this.onfail();
  }
}
