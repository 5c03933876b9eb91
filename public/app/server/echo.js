// @ts-check
/**
 * Sends text to the server's echo and reports the replies, over the WebSocket of the hello page.
 *
 * The socket is opened with the first text and kept until something closes it.
 */
import { noop } from "../../petstore/transports/transport.js";
import { socketUrl } from "../../petstore/transports/url.js";
/** @import { Clock } from "../../petstore/clock.js" */

/** After this time no reply is expected: some proxies open sockets and drop their frames. */
const REPLY_TIMEOUT_MS = 5_000;

const OPEN = 1;

export class Echo {
  /** @type {(text: string) => void} */
  onreply = noop;
  /** The text was lost. The next `send` opens a new socket. */
  onfail = noop;
  #WebSocket;
  #url;
  #clock;
  /** @type {WebSocket | null} */
  #socket = null;
  /** @type {string[]} Sent once the socket is open. */
  #pending = [];
  #awaitsReply = false;
  #cancelTimeout = noop;

  /** @param {{ WebSocket: typeof WebSocket, site: string, clock: Clock }} options */
  constructor({ WebSocket, site, clock }) {
    this.#WebSocket = WebSocket;
    this.#url = socketUrl(`${site}/hello/ws`);
    this.#clock = clock;
  }

  /** @param {string} text */
  send(text) {
    this.#awaitsReply = true;
    this.#cancelTimeout();
    this.#cancelTimeout = this.#clock.after(REPLY_TIMEOUT_MS, () => this.#end());
    if (!this.#socket) this.#open();
    if (this.#socket?.readyState === OPEN) this.#socket.send(text);
    else this.#pending.push(text);
  }

  close() {
    this.#cancelTimeout();
    this.#awaitsReply = false;
    this.#pending = [];
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
      for (const text of this.#pending.splice(0)) socket.send(text);
    };
    socket.onmessage = (event) => {
      this.#awaitsReply = false;
      this.#cancelTimeout();
      this.onreply(String(event.data));
    };
    socket.onclose = () => this.#end();
  }

  /** A socket that closes while no reply is expected has not failed: servers close idle sockets. */
  #end() {
    const hasFailed = this.#awaitsReply;
    this.close();
    if (hasFailed) this.onfail();
  }
}
