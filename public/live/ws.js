// @ts-check
/**
 * The WebSocket transport: one text message is one message. The only one that can also speak to the server.
 */
import { decode } from "./message.js";
import { ignore } from "./transport.js";
import { liveUrl, socketUrl } from "./url.js";

/** `WebSocket.OPEN`, spelled out because the constructor passed in may be a stand-in. */
const OPEN = 1;

/** @typedef {import("./transport.js").Transport} Transport */

/** @implements {Transport} */
export class WsTransport {
  /** @type {"ws"} */
  name = "ws";
  /** @type {Transport["onmessage"]} */
  onmessage = ignore;
  /** @type {Transport["onstate"]} */
  onstate = ignore;
  /** @type {WebSocket | null} */
  #socket = null;
  #WebSocket;
  #watch;

  /**
   * @param {object} parts
   * @param {typeof WebSocket} parts.WebSocket
   * @param {import("./url.js").Watch} parts.watch
   */
  constructor({ WebSocket, watch }) {
    this.#WebSocket = WebSocket;
    this.#watch = watch;
  }

  /** @param {string} since */
  open(since) {
    this.close();
    let socket;
    try {
      socket = new this.#WebSocket(socketUrl(liveUrl(this.#watch, "/live/ws", since)));
    } catch {
      // Not there at all, or forbidden by a policy: the same to us as a network that blocks it.
      this.onstate("closed");
      return;
    }
    this.#socket = socket;
    socket.onopen = () => this.onstate("open");
    socket.onmessage = (event) => {
      const message = decode(event.data);
      if (message) this.onmessage(message);
    };
    // An error is always followed by close, so close alone is heard.
    socket.onclose = () => {
      this.close();
      this.onstate("closed");
    };
  }

  /**
   * Sends a command, e.g. `{do: "set-status", pet, status, ref}`. The answer is a message of type `ack` or `error`.
   * @param {object} command
   * @returns {boolean} False when there is no open socket; nothing is kept for later.
   */
  send(command) {
    if (this.#socket?.readyState !== OPEN) return false;
    this.#socket.send(JSON.stringify(command));
    return true;
  }

  close() {
    const socket = this.#socket;
    if (!socket) return;
    this.#socket = null;
    socket.onopen = socket.onmessage = socket.onclose = null;
    // Also while it is still connecting: browsers let only one socket per host connect at a time, and one
    // that hangs would hold up the next try.
    socket.close();
  }
}
