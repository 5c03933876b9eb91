// @ts-check
/**
 * Holds the link of the page and replaces it without a gap: the messages of concurrent links and of a catch-up become one
 * sequence, in which no change is missing and none comes twice.
 */
import { isUnseen } from "../protocol/message-order.js";
import { noop } from "../transports/transport.js";
/** @import { Message } from "../protocol/message.js" */
/** @import { ShownTransport } from "../transports/transport.js" */
/** @import { Link, LinkEnd } from "./link.js" */

/**
 * @typedef {{ phase: "connecting" } | { phase: "down" }
 *   | { phase: "up", transport: ShownTransport, silenceLimitMs: number }
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

  /** @param {() => string} since  Returns the cursor of the page. */
  constructor(since) {
    this.#since = since;
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

  /** Reports that a race begins, unless a lagging link still delivers. */
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
   * Passes a message on unless it was delivered before.
   * @param {Link} link  The page's, or a candidate for an upgrade.
   * @param {Message} message
   */
  forward(link, message) {
    if (link.isUnseen(message, this.#since())) this.onmessage(message);
  }

  /**
   * Passes on what the server answered to a catch-up.
   * @param {Message[]} messages
   * @param {string} since  The cursor in the request.
   */
  forwardAll(messages, since) {
    for (const message of messages) {
      if (isUnseen(message, { cursor: this.#since(), since, isFirst: true })) this.onmessage(message);
    }
  }

  /** @param {Link} link @param {Message} message */
  #receive(link, message) {
    // A heartbeat may change the interval, and so the longest silence.
    if (message.type === "hello" || message.heartbeat_ms > 0) {
      this.onstate({ phase: "up", transport: link.transport.log ? "log" : link.name, silenceLimitMs: link.silenceLimitMs });
    }
    this.forward(link, message);
  }
}
