// @ts-check
/**
 * A socket to the server's echo. It measures round trips, and what becomes of a silent connection: unlike the live socket
 * it gets no heartbeats.
 */
import { noop } from "../../petstore/transports/transport.js";
import { socketUrl } from "../../petstore/transports/url.js";
import { closeSocket } from "../../petstore/transports/websocket.js";
import { OPEN_LIMIT_MS } from "./stream-probe.js";
/** @import { ProbeContext } from "./probes.js" */

/** Time limit for a reply. */
const REPLY_LIMIT_MS = 5_000;

/** `WebSocket.OPEN`, spelled out because tests pass in another constructor. */
const OPEN = 1;

export class EchoSocket {
  /** Something other than this page closed the socket after it had opened. */
  onend = noop;
  #clock;
  #socket;
  #signal;
  /** @type {(hasHappened: boolean) => void}  Settles the promise of `#next`. */
  #settle = noop;

  /** @param {ProbeContext} context  Its signal closes the socket. */
  constructor({ browser, clock, watch, signal }) {
    this.#clock = clock;
    this.#signal = signal;
    this.#socket = new browser.WebSocket(socketUrl(`${watch.site}/hello/ws`));
    signal.addEventListener("abort", this.#onabort);
    this.#socket.onopen = this.#socket.onmessage = () => this.#settle(true);
    this.#socket.onclose = () => {
      this.#settle(false);
      this.onend();
    };
  }

  /** @returns {Promise<boolean>} True once it is open; false after the time limit. */
  opened() {
    return this.#next(OPEN_LIMIT_MS);
  }

  /** @returns {Promise<number | null>} The round trip in ms; null if no reply came in time. */
  async ping() {
    if (this.#socket.readyState !== OPEN) return null;
    const sentAt = this.#clock.elapsed();
    this.#socket.send("doctor");
    return (await this.#next(REPLY_LIMIT_MS)) ? this.#clock.elapsed() - sentAt : null;
  }

  close() {
    this.#signal.removeEventListener("abort", this.#onabort);
    closeSocket(this.#socket, this.#clock);
    this.#settle(false);
  }

  #onabort = () => {
    this.close();
    this.onend();
  };

  /**
   * Waits for the next event of the socket.
   * @param {number} limitMs
   * @returns {Promise<boolean>}
   */
  #next(limitMs) {
    return new Promise((resolve) => {
      const cancelLimit = this.#clock.after(limitMs, () => this.#settle(false));
      this.#settle = (hasHappened) => {
        cancelLimit();
        this.#settle = noop;
        resolve(hasHappened);
      };
    });
  }
}
