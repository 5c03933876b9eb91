// @ts-check
/** The page of a tab: its cursor, its pets, and which messages it takes. The same in the leader and in a follower. */
import { hasReached } from "../protocol/cursor.js";
import { classify, isChange } from "../protocol/message-order.js";
/** @import { Clock } from "../clock.js" */
/** @import { ConnectionState } from "../connection/handover.js" */
/** @import { Message } from "../protocol/message.js" */

/** The server's default, used until a `hello` arrives. */
const DEFAULT_HEARTBEAT_MS = 15_000;

export class Tab {
  clock;
  id;
  /** Ids that the page shows; empty means every pet. */
  pets;
  heartbeatMs = DEFAULT_HEARTBEAT_MS;
  /** Shows the connection state on the page. @type {(state: ConnectionState) => void} */
  show;
  #options;

  /**
   * @param {object} options
   * @param {Clock} options.clock
   * @param {() => number} options.random
   * @param {() => string} options.since  Returns the cursor of the page.
   * @param {() => boolean} options.isHidden
   * @param {string[]} options.pets
   * @param {(message: Message) => void} options.onmessage  Advances `since` before it returns.
   * @param {Tab["show"]} options.onstate
   */
  constructor(options) {
    this.clock = options.clock;
    this.id = options.random().toString(36).slice(2);
    this.pets = options.pets;
    this.show = options.onstate;
    this.#options = options;
  }

  /** The cursor of the page. */
  get cursor() {
    return this.#options.since();
  }

  get isHidden() {
    return this.#options.isHidden();
  }

  /**
   * Takes a message of a stream that covers this tab, if it is the next one for this page.
   * @param {Message} message
   * @param {string} after  The cursor of the stream before the message.
   */
  take(message, after) {
    const order = classify(message, after, this.cursor);
    if (order === "next") this.receive(message);
    return order;
  }

  /**
   * Takes a sequence without a gap. Some messages may have arrived by another way meanwhile.
   * @param {Message[]} messages
   * @param {string} from  The cursor before the first one.
   * @returns {boolean} False if the page does not continue `from`: it has left that epoch, or shows other pets.
   */
  takeAll(messages, from) {
    if (this.cursor !== from && !hasReached(this.cursor, from)) return false;
    let after = from;
    for (const message of messages) {
      this.take(message, after);
      after = message.cursor;
    }
    return true;
  }

  /** @param {Message} message  The next message for this page. */
  receive(message) {
    this.#options.onmessage(this.#filter(message));
  }

  /**
   * Leaves out pets that the page does not show, as the server does for a connection with `pet=`. A change of such a pet
   * becomes a heartbeat, which still advances the cursor.
   * @param {Message} message
   * @returns {Message}
   */
  #filter(message) {
    if (this.pets.length === 0) return message;
    const isShown = (/** @type {unknown} */ id) => this.pets.includes(String(id));
    if (isChange(message)) return isShown(message.pet) ? message : { type: "heartbeat", cursor: message.cursor };
    if (message.type !== "snapshot" || !Array.isArray(message.pets)) return message;
    return { ...message, pets: message.pets.filter((/** @type {any} */ pet) => isShown(pet.id)) };
  }
}
