// @ts-check
/** The state of a tab, whether it leads or follows: the cursor of its page, recent changes, and the other tabs. */
import { isChange } from "../protocol/message-order.js";
import { RecentChanges } from "./recent-changes.js";
/** @import { Clock } from "../clock.js" */
/** @import { ConnectionState } from "../connection/handover.js" */
/** @import { Message } from "../protocol/message.js" */
/** @import { TabMessage } from "./tab-message.js" */

/** The server's default, used until a `hello` arrives. */
const DEFAULT_HEARTBEAT_MS = 15_000;

export class Tab {
  clock;
  id;
  recentChanges;
  heartbeatMs = DEFAULT_HEARTBEAT_MS;
  /** Posts to the other tabs. @type {(message: TabMessage) => void} */
  post;
  /** Shows the connection state on the page. @type {(state: ConnectionState) => void} */
  show;
  #since;
  #isHidden;
  #pets;
  #onmessage;

  /**
   * @param {object} options
   * @param {Clock} options.clock
   * @param {() => number} options.random
   * @param {() => string} options.since  Returns the cursor of the page.
   * @param {() => boolean} options.isHidden
   * @param {string[]} options.pets  Ids that the page shows; empty means every pet.
   * @param {Tab["post"]} options.post
   * @param {(message: Message) => void} options.onmessage  Advances `since` before it returns.
   * @param {Tab["show"]} options.onstate
   */
  constructor({ clock, random, since, isHidden, pets, post, onmessage, onstate }) {
    this.clock = clock;
    this.id = random().toString(36).slice(2);
    this.recentChanges = new RecentChanges(since());
    this.post = post;
    this.show = onstate;
    this.#since = since;
    this.#isHidden = isHidden;
    this.#pets = pets;
    this.#onmessage = onmessage;
  }

  /** The cursor of the page. */
  get cursor() {
    return this.#since();
  }

  get isHidden() {
    return this.#isHidden();
  }

  /** @param {Message} message  The next message for this tab. */
  receive(message) {
    if (message.type === "hello" && message.heartbeat_ms > 0) this.heartbeatMs = message.heartbeat_ms;
    this.recentChanges.add(message);
    this.#onmessage(this.#filter(message));
  }

  /**
   * Leaves out pets that the page does not show, as the server does for a connection with `pet=`. A change of such a pet
   * becomes a heartbeat, which still advances the cursor.
   * @param {Message} message
   * @returns {Message}
   */
  #filter(message) {
    if (this.#pets.length === 0) return message;
    const isShown = (/** @type {unknown} */ id) => this.#pets.includes(String(id));
    if (isChange(message)) return isShown(message.pet) ? message : { type: "heartbeat", cursor: message.cursor };
    if (message.type !== "snapshot" || !Array.isArray(message.pets)) return message;
    return { ...message, pets: message.pets.filter((/** @type {any} */ pet) => isShown(pet.id)) };
  }
}
