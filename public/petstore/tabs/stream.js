// @ts-check
/**
 * The leader's connection for one filter, with its position: the cursor up to which it has delivered every change of its
 * pets. It keeps the newest changes for tabs that join at an older cursor.
 */
import { hasReached, isNewer } from "../protocol/cursor.js";
import { isChange } from "../protocol/message-order.js";
import { noop } from "../transports/transport.js";
/** @import { Answer } from "../connection/catch-up.js" */
/** @import { Connection } from "../connection/connection.js" */
/** @import { ConnectionState } from "../connection/handover.js" */
/** @import { Message } from "../protocol/message.js" */

/**
 * Builds a connection that is not started. `isHidden` returns true if nobody sees the pages that share it.
 * @typedef {(pets: string[], since: () => string, isHidden: () => boolean) => Connection} Connect
 */

/** Bounds the memory. A tab that needs more asks the server. */
const LIMIT = 256;

export class Stream {
  /** `after` is the position before the message. @type {(message: Message, after: string) => void} */
  onmessage = noop;
  /** @type {() => void} Called when `state` has changed. */
  onstate = noop;
  /** @type {ConnectionState} */
  state = { phase: "connecting" };
  /** @type {Message | null} The newest hello, with the interval of a later heartbeat that changed it. */
  hello = null;
  connection;
  pets;
  position;
  /** The cursor after which every change is kept. */
  #base;
  /** @type {Message[]} */
  #changes = [];

  /**
   * @param {string[]} pets
   * @param {string} position  Where it starts; "" for a snapshot.
   * @param {Connect} connect
   * @param {() => boolean} isHidden
   */
  constructor(pets, position, connect, isHidden) {
    this.pets = pets;
    this.position = this.#base = position;
    this.connection = connect(pets, () => this.position, isHidden);
  }

  /** @param {Promise<Answer>} [firstPoll]  The request of the page that is under way, if there is one. */
  start(firstPoll) {
    this.connection.onmessage = (message) => this.#receive(message);
    this.connection.onstate = (state) => {
      this.state = state;
      this.onstate();
    };
    // The page takes the messages itself. They are those of its pets, which may be fewer.
    this.connection.start(firstPoll?.then((answer) => ({ ...answer, messages: [] })));
  }

  stop() {
    this.connection.onmessage = this.connection.onstate = noop;
    this.connection.stop();
  }

  /**
   * Returns the changes from a cursor to the position.
   * @param {string} cursor
   * @returns {Message[] | null} Null if the cursor is too old, ahead of the position, or in another epoch.
   */
  since(cursor) {
    if (cursor === this.position) return [];
    if (!hasReached(cursor, this.#base) || !hasReached(this.position, cursor)) return null;
    return this.#changes.filter((change) => !hasReached(cursor, change.cursor));
  }

  /** @param {Message} message */
  #receive(message) {
    const after = this.position;
    if (message.type === "hello") this.hello = message;
    else this.#advance(message);
    if (this.hello && message.heartbeat_ms > 0) this.hello = { ...this.hello, heartbeat_ms: message.heartbeat_ms };
    this.onmessage(message, after);
  }

  /** @param {Message} message */
  #advance(message) {
    if (message.type === "snapshot") {
      this.position = this.#base = message.cursor;
      this.#changes = [];
    } else if (isNewer(message.cursor, this.position)) {
      this.position = message.cursor;
      if (isChange(message)) this.#changes.push(message);
      if (this.#changes.length > LIMIT) this.#base = this.#changes.shift()?.cursor;
    }
  }
}
