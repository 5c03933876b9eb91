// @ts-check
/**
 * The WebSocket transport: one text message is one message. The only one that can also speak to the server.
 */
import { decode } from "./message.js";
import { IN_PARTS } from "./snapshot-assembler.js";
import { ignore } from "./transport.js";
import { liveUrl, socketUrl } from "./url.js";

/** `WebSocket.CONNECTING` and `OPEN`, spelled out because the constructor passed in may be a stand-in. */
const CONNECTING = 0;
const OPEN = 1;

/** How long a socket that nobody wants any more may take to open before it is closed all the same. */
const CONNECT_LIMIT_MS = 3_000;

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
  #clock;

  /**
   * @param {object} parts
   * @param {typeof WebSocket} parts.WebSocket
   * @param {import("./url.js").Watch} parts.watch
   * @param {import("../clock.js").Clock} parts.clock
   */
  constructor({ WebSocket, watch, clock }) {
    this.#WebSocket = WebSocket;
    this.#watch = watch;
    this.#clock = clock;
  }

  /**
   * @param {string} since
   * @param {import("./transport.js").Change} [change]
   */
  open(since, change) {
    this.close();
    let socket;
    try {
      socket = new this.#WebSocket(socketUrl(liveUrl(this.#watch, "/live/ws", since, { ...IN_PARTS, ...change })));
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
    if (socket.readyState === CONNECTING) this.#closeLater(socket);
    else socket.close();
  }

  /**
   * Browsers complain on the console about a socket that is closed before it is open, so it may open first. But not for
   * ever: they let only one socket per host connect at a time, and one that hangs would hold up the next try.
   * @param {WebSocket} socket
   */
  #closeLater(socket) {
    const cancel = this.#clock.after(CONNECT_LIMIT_MS, () => socket.close());
    socket.onopen = () => (cancel(), socket.close());
    socket.onclose = cancel;
  }
}
