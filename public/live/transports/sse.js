// @ts-check
/**
 * The Server-Sent Events transport.
 *
 * `EventSource` would reconnect by itself, without our cursor in the address, or give up for good after
 * an answer other than 200. Neither fits, so the first error closes it and the connection builds a new one.
 */
import { decode, MESSAGE_TYPES } from "./message.js";
import { IN_PARTS } from "./snapshot-assembler.js";
import { ignore } from "./transport.js";
import { liveUrl } from "./url.js";

/** @typedef {import("./transport.js").Transport} Transport */

/** @implements {Transport} */
export class SseTransport {
  /** @type {"sse"} */
  name = "sse";
  /** @type {Transport["onmessage"]} */
  onmessage = ignore;
  /** @type {Transport["onstate"]} */
  onstate = ignore;
  /** @type {EventSource | null} */
  #source = null;
  #EventSource;
  #watch;

  /**
   * @param {object} parts
   * @param {typeof EventSource} parts.EventSource
   * @param {import("./url.js").Watch} parts.watch
   */
  constructor({ EventSource, watch }) {
    this.#EventSource = EventSource;
    this.#watch = watch;
  }

  /**
   * @param {string} since
   * @param {import("./transport.js").Change} [change]
   */
  open(since, change) {
    this.close();
    let source;
    try {
      source = new this.#EventSource(liveUrl(this.#watch, "/live/sse", since, { ...IN_PARTS, ...change }));
    } catch {
      this.onstate("closed");
      return;
    }
    this.#source = source;
    source.onopen = () => this.onstate("open");
    source.onerror = () => {
      if (source !== this.#source) return;
      this.close();
      this.onstate("closed");
    };
    for (const type of MESSAGE_TYPES) {
      source.addEventListener(type, (event) => this.#receive(source, event));
    }
  }

  /**
   * @param {EventSource} source  Named listeners stay on a closed source, so each event says where it is from.
   * @param {MessageEvent} event
   */
  #receive(source, event) {
    if (source !== this.#source) return;
    const message = decode(event.data);
    if (message) this.onmessage(message);
  }

  close() {
    const source = this.#source;
    if (!source) return;
    this.#source = null;
    source.onopen = source.onerror = null;
    source.close();
  }
}
