// @ts-check
/**
 * The Server-Sent Events transport.
 *
 * `EventSource` would reconnect by itself with an outdated cursor in its URL, and stop for good after a status other than
 * 200. So the first error closes it, and the connection builds a new transport.
 */
import { decode, MESSAGE_TYPES } from "../protocol/message.js";
import { IN_PARTS } from "./snapshot-assembler.js";
import { noop } from "./transport.js";
import { heartbeatParam, liveUrl } from "./url.js";
/** @import { Switch, Transport } from "./transport.js" */
/** @import { HeartbeatInterval } from "../connection/heartbeat-interval.js" */
/** @import { Watch } from "./url.js" */

/** @implements {Transport} */
export class SseTransport {
  /** @type {"sse"} */
  name = "sse";
  /** @type {Transport["onmessage"]} */
  onmessage = noop;
  /** @type {Transport["onstate"]} */
  onstate = noop;
  /** @type {EventSource | null} */
  #source = null;
  #EventSource;
  #watch;
  #heartbeat;

  /**
   * @param {object} options
   * @param {typeof EventSource} options.EventSource
   * @param {Watch} options.watch
   * @param {HeartbeatInterval} [options.heartbeat]
   */
  constructor({ EventSource, watch, heartbeat }) {
    this.#EventSource = EventSource;
    this.#watch = watch;
    this.#heartbeat = heartbeat;
  }

  /** @param {string} since @param {Switch} [cause] */
  open(since, cause) {
    this.close();
    const params = { ...IN_PARTS, ...heartbeatParam(this.#heartbeat, "fixedMs"), ...cause };
    let source;
    try {
      source = new this.#EventSource(liveUrl(this.#watch, "/live/sse", since, params));
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
   * @param {EventSource} source  A closed source keeps its listeners, so its late events are dropped here.
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
