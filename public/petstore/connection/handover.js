// @ts-check
/**
 * Holds the link of the page and replaces it without a gap: the messages of two concurrent links become one sequence, in
 * which no change is missing and none comes twice.
 */
import { noop } from "../transports/transport.js";
/** @import { TransportPreference } from "./transport-preference.js" */
/** @import { Message } from "../protocol/message.js" */
/** @import { TransportName } from "../transports/transport.js" */
/** @import { Link, LinkEnd } from "./link.js" */

/**
 * `delayed`: changes come late, because the streaming transports do not work on this network.
 * @typedef {{ phase: "connecting" } | { phase: "down" }
 *   | { phase: "up", transport: TransportName, silenceLimitMs: number, delayed?: true }
 *   } ConnectionState
 */

export class Handover {
  /** @type {(message: Message) => void} */
  onmessage = noop;
  /** @type {(state: ConnectionState) => void} */
  onstate = noop;
  /** @type {(link: Link, end: LinkEnd) => void} */
  onend = noop;
  /** @type {Link | null} A lagging link stays until another one replaces it. */
  link = null;
  #since;
  #preference;

  /**
   * @param {object} options
   * @param {() => string} options.since  Returns the cursor of the page.
   * @param {TransportPreference} options.preference
   */
  constructor({ since, preference }) {
    this.#since = since;
    this.#preference = preference;
  }

  /**
   * Makes this link the page's. The link before it ends only now, so there is no gap between them.
   * @param {Link} link
   * @param {Message} hello  Its first message, which the page has not received yet.
   */
  take(link, hello) {
    this.link?.stop();
    this.link = link;
    link.onmessage = (message) => this.#receive(link, message);
    link.onend = (end) => this.onend(link, end);
    this.#receive(link, hello);
  }

  /** A race begins. The page is not told while a lagging link still delivers. */
  connecting() {
    if (!this.link) this.onstate({ phase: "connecting" });
  }

  /** Stops the link, if there is one. */
  disconnect() {
    this.link?.stop();
    this.link = null;
    this.onstate({ phase: "down" });
  }

  /**
   * Passes a message on unless another link delivered it before.
   * @param {Link} link  The page's, or a candidate for an upgrade.
   * @param {Message} message
   */
  forward(link, message) {
    if (link.isUnseen(message, this.#since())) this.onmessage(message);
  }

  /** @param {Link} link @param {Message} message */
  #receive(link, message) {
    if (message.type === "hello") {
      const { name: transport, silenceLimitMs } = link;
      const isDelayed = this.#preference.isDelayed(transport);
      this.onstate({ phase: "up", transport, silenceLimitMs, ...(isDelayed && { delayed: true }) });
    }
    this.forward(link, message);
  }
}
