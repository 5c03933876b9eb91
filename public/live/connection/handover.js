// @ts-check
/**
 * The page's link, and how the page goes from one to the next: what they bring becomes one order of messages, whichever
 * link was quicker, and the page is told of a link when it has one.
 */
import { ignore } from "../transports/transport.js";

/** @typedef {import("./link.js").Link} Link */
/** @typedef {import("../transports/message.js").Message} Message */

/**
 * `delayed`: changes come late, because what would bring them at once does not work on this network.
 * @typedef {{ phase: "connecting" } | { phase: "down" }
 *   | { phase: "up", transport: import("../transports/transport.js").TransportName, silenceLimitMs: number, delayed?: true }} ConnectionState
 */

export class Handover {
  /** @type {(message: Message) => void} */
  onmessage = ignore;
  /** @type {(state: ConnectionState) => void} */
  onstate = ignore;
  /** @type {(link: Link, ending: import("./link.js").LinkEnding) => void} */
  onend = ignore;
  /** @type {Link | null} One that lags stays until there is another. */
  link = null;
  #since;
  #ladder;

  /**
   * @param {object} parts
   * @param {() => string} parts.since  Where the page is.
   * @param {import("../../state/transport-preference.js").Ladder} parts.ladder
   */
  constructor({ since, ladder }) {
    this.#since = since;
    this.#ladder = ladder;
  }

  /**
   * From here on this is the page's link. The one before it ends only now, so there is no gap between them.
   * @param {Link} link
   * @param {Message} hello  What it said first, and the page has not heard yet.
   */
  take(link, hello) {
    this.link?.stop();
    this.link = link;
    link.onmessage = (message) => this.#hear(link, message);
    link.onend = (ending) => this.onend(link, ending);
    this.#hear(link, hello);
  }

  /** A search for a link begins. While there is one that lags, nobody need know. */
  seek() {
    if (!this.link) this.onstate({ phase: "connecting" });
  }

  /** Leaves the link, if there is one. */
  drop() {
    this.link?.stop();
    this.link = null;
    this.onstate({ phase: "down" });
  }

  /**
   * What two links bring at the same time is passed on once.
   * @param {Link} link  The page's, or one that may become it.
   * @param {Message} message
   */
  pass(link, message) {
    if (link.isNews(message, this.#since())) this.onmessage(message);
  }

  /**
   * @param {Link} link
   * @param {Message} message
   */
  #hear(link, message) {
    if (message.type === "hello") this.onstate(this.#up(link));
    this.pass(link, message);
  }

  /**
   * @param {Link} link
   * @returns {ConnectionState}
   */
  #up({ name: transport, silenceLimitMs }) {
    const isDelayed = this.#ladder.isDelayed(transport);
    return { phase: "up", transport, silenceLimitMs, ...(isDelayed && { delayed: true }) };
  }
}
