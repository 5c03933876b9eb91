// @ts-check
/** The WebSocket transport: one text frame is one message. Only this transport can send to the server. */
import { decode } from "../protocol/message.js";
import { IN_PARTS } from "./snapshot-assembler.js";
import { noop } from "./transport.js";
import { heartbeatParam, liveUrl, socketUrl } from "./url.js";
/** @import { Clock } from "../clock.js" */
/** @import { Switch, Transport } from "./transport.js" */
/** @import { HeartbeatInterval } from "../connection/heartbeat-interval.js" */
/** @import { Watch } from "./url.js" */

/** `WebSocket.CONNECTING` and `OPEN`, spelled out because tests pass in another constructor. */
const CONNECTING = 0;
const OPEN = 1;

/** Time limit for an abandoned socket to open, before it is closed anyway. */
const CONNECT_LIMIT_MS = 3_000;

/** @implements {Transport} */
export class WebSocketTransport {
  /** @type {"ws"} */
  name = "ws";
  /** @type {Transport["onmessage"]} */
  onmessage = noop;
  /** @type {Transport["onstate"]} */
  onstate = noop;
  /** @type {WebSocket | null} */
  #socket = null;
  #WebSocket;
  #watch;
  #clock;
  #heartbeat;

  /**
   * @param {object} options
   * @param {typeof WebSocket} options.WebSocket
   * @param {Watch} options.watch
   * @param {Clock} options.clock
   * @param {HeartbeatInterval} [options.heartbeat]
   */
  constructor({ WebSocket, watch, clock, heartbeat }) {
    this.#WebSocket = WebSocket;
    this.#watch = watch;
    this.#clock = clock;
    this.#heartbeat = heartbeat;
  }

  /** @param {string} since @param {Switch} [cause] */
  open(since, cause) {
    this.close();
    const params = { ...IN_PARTS, ...heartbeatParam(this.#heartbeat), ...cause };
    let socket;
    try {
      socket = new this.#WebSocket(socketUrl(liveUrl(this.#watch, "/live/ws", since, params)));
    } catch {
      // WebSocket is missing, or a content security policy forbids it.
      this.onstate("closed");
      return;
    }
    this.#socket = socket;
    socket.onopen = () => this.onstate("open");
    socket.onmessage = (event) => {
      const message = decode(event.data);
      if (message) this.onmessage(message);
    };
    // Every error is followed by a close event.
    socket.onclose = () => {
      this.close();
      this.onstate("closed");
    };
  }

  /**
   * Sends a command, e.g. `{do: "set-status", pet, status, ref}`. The server answers with an `ack` or `error` message.
   * @param {object} command
   * @returns {boolean} False if no socket is open; the command is then dropped.
   */
  send(command) {
    if (this.#socket?.readyState !== OPEN) return false;
    this.#socket.send(JSON.stringify(command));
    return true;
  }

  close() {
    if (this.#socket) closeSocket(this.#socket, this.#clock);
    this.#socket = null;
  }
}

/**
 * Removes the handlers of a socket and closes it.
 *
 * Browsers log an error when a socket is closed while it is connecting, so such a socket is closed once it is open. The
 * wait is bounded, because browsers open one socket per host at a time: a hanging one would block the next attempt.
 * @param {WebSocket} socket
 * @param {Clock} clock
 */
export function closeSocket(socket, clock) {
  socket.onopen = socket.onmessage = socket.onclose = null;
  if (socket.readyState !== CONNECTING) return socket.close();
  const cancel = clock.after(CONNECT_LIMIT_MS, () => socket.close());
  socket.onopen = () => (cancel(), socket.close());
  socket.onclose = cancel;
}
