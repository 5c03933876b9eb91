// @ts-check
/**
 * What a tab is and knows, whether it leads or follows: where its page is, what it heard lately, and how to reach the
 * other tabs.
 */
import { audienceOf } from "./audience.js";
import { Run } from "./recent-changes.js";

/** @typedef {import("../transports/message.js").Message} Message */

/** The server's own default, until a `hello` says another. */
const DEFAULT_HEARTBEAT_MS = 15_000;

export class Tab {
  clock;
  id;
  run;
  heartbeatMs = DEFAULT_HEARTBEAT_MS;
  /** To the other tabs. @type {(note: import("./tab-message.js").Note) => void} */
  post;
  /** How the connection is, for the page. @type {(state: import("./tab-message.js").ConnectionState) => void} */
  show;
  #since;
  #isHidden;
  #audience;
  #onmessage;

  /**
   * @param {object} parts
   * @param {import("../clock.js").Clock} parts.clock
   * @param {() => number} parts.random
   * @param {() => string} parts.since
   * @param {() => boolean} parts.isHidden
   * @param {string[]} parts.pets  Ids that the page shows; none means every pet.
   * @param {Tab["post"]} parts.post
   * @param {(message: Message) => void} parts.onmessage  Moves `since` on before it returns.
   * @param {Tab["show"]} parts.onstate
   */
  constructor({ clock, random, since, isHidden, pets, post, onmessage, onstate }) {
    this.clock = clock;
    this.id = random().toString(36).slice(2);
    this.run = new Run(since());
    this.post = post;
    this.show = onstate;
    this.#since = since;
    this.#isHidden = isHidden;
    this.#audience = audienceOf(pets);
    this.#onmessage = onmessage;
  }

  /** Where the page is. */
  get cursor() {
    return this.#since();
  }

  get isHidden() {
    return this.#isHidden();
  }

  /** @param {Message} message  The next one for this tab. */
  take(message) {
    if (message.type === "hello" && message.heartbeat_ms > 0) this.heartbeatMs = message.heartbeat_ms;
    this.run.add(message);
    this.#onmessage(this.#audience(message));
  }
}
