// @ts-check
/**
 * One socket to the server's echo, for the way there and back, and for what becomes of a socket on which nobody says
 * anything: unlike the live one it never hears a heartbeat.
 */
import { OPEN_LIMIT_MS } from "./stream-probe.js";
import { ignore } from "../transports/transport.js";
import { socketUrl } from "../transports/url.js";

/** An echo that takes longer is not coming. */
const ANSWER_LIMIT_MS = 5_000;

/** How long a socket that nobody wants any more may take to open before it is closed all the same. */
const CONNECT_LIMIT_MS = 3_000;

/** `WebSocket.CONNECTING` and `OPEN`, spelled out because the constructor passed in may be a stand-in. */
const CONNECTING = 0;
const OPEN = 1;

export class EchoSocket {
  /** Something other than this page ended it. Not before it was open. */
  onend = ignore;
  #clock;
  #socket;
  #signal;
  /** @type {(isThere: boolean) => void}  What waits for the next thing to happen. */
  #settle = ignore;

  /** @param {import("./probes.js").Lab} lab  Its signal closes the socket. */
  constructor({ browser, clock, watch, signal }) {
    this.#clock = clock;
    this.#signal = signal;
    this.#socket = new browser.WebSocket(socketUrl(new URL("/hello/ws", watch.origin).href));
    signal.addEventListener("abort", this.#onabort);
    this.#socket.onopen = this.#socket.onmessage = () => this.#settle(true);
    this.#socket.onclose = () => {
      this.#settle(false);
      this.onend();
    };
  }

  /** @returns {Promise<boolean>} Whether it opened in time. */
  opened() {
    return this.#next(OPEN_LIMIT_MS);
  }

  /** @returns {Promise<number | null>} Milliseconds there and back; null when no answer came in time. */
  async ask() {
    if (this.#socket.readyState !== OPEN) return null;
    const askedAt = this.#clock.elapsed();
    this.#socket.send("doctor");
    return (await this.#next(ANSWER_LIMIT_MS)) ? this.#clock.elapsed() - askedAt : null;
  }

  close() {
    this.#signal.removeEventListener("abort", this.#onabort);
    this.#socket.onopen = this.#socket.onmessage = this.#socket.onclose = null;
    this.#settle(false);
    if (this.#socket.readyState === CONNECTING) this.#closeLater();
    else this.#socket.close();
  }

  /** Browsers complain on the console about a socket that is closed before it is open, so it may open first. */
  #closeLater() {
    const cancel = this.#clock.after(CONNECT_LIMIT_MS, () => this.#socket.close());
    this.#socket.onopen = () => (cancel(), this.#socket.close());
    this.#socket.onclose = cancel;
  }

  #onabort = () => {
    this.close();
    this.onend();
  };

  /**
   * @param {number} limitMs
   * @returns {Promise<boolean>}
   */
  #next(limitMs) {
    return new Promise((resolve) => {
      const cancelLimit = this.#clock.after(limitMs, () => this.#settle(false));
      this.#settle = (isThere) => {
        cancelLimit();
        this.#settle = ignore;
        resolve(isThere);
      };
    });
  }
}
