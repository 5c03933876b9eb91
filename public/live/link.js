// @ts-check
/**
 * A transport that won, for as long as it keeps proving itself.
 *
 * It is up only while messages arrive. The server promises one at least every heartbeat; silence well beyond
 * that means a link that is dead without saying so, and it ends like any other.
 */
import { ignore } from "./transport.js";

/** @typedef {import("./transport.js").Transport} Transport */
/** @typedef {import("./message.js").Message} Message */

/**
 * @typedef {object} LinkEnding
 * @property {number} [retryMs]  How long the server asked us to stay away.
 * @property {boolean} asked  The server said `bye`: this says nothing against the transport.
 */

/** The server's own default, for a `hello` that does not say. */
const DEFAULT_HEARTBEAT_MS = 15_000;

/**
 * A link that was still heard this long after it began was of use. Time alone does not count: some networks let
 * `hello` through and hold back the rest, others kill the link a moment later.
 */
const USEFUL_MS = 5_000;

/** Added to one and a half heartbeats, for a slow line. */
const SILENCE_MARGIN_MS = 2_000;

export class Link {
  transport;
  heartbeatMs = DEFAULT_HEARTBEAT_MS;
  #clock;
  #startedAt;
  #heardAt;
  #doubted = false;
  #cancelWatch = ignore;
  #onmessage;
  #onend;

  /**
   * @param {object} parts
   * @param {import("./clock.js").Clock} parts.clock
   * @param {Transport} parts.transport
   * @param {(message: Message) => void} parts.onmessage
   * @param {(ending: LinkEnding) => void} parts.onend  Once, and not after `stop`.
   */
  constructor({ clock, transport, onmessage, onend }) {
    this.#clock = clock;
    this.transport = transport;
    this.#onmessage = onmessage;
    this.#onend = onend;
    this.#startedAt = this.#heardAt = clock.now();
  }

  /** @param {Message} hello  What the transport won with. */
  start(hello) {
    this.transport.onmessage = (message) => this.#heard(message);
    this.transport.onstate = (state, ending) =>
      state === "closed" && this.#end({ retryMs: ending?.retryMs, asked: ending?.retryMs !== undefined });
    this.#heard(hello);
  }

  stop() {
    this.#cancelWatch();
    this.transport.onmessage = this.transport.onstate = ignore;
    this.transport.close();
  }

  /** The longest silence that is still life. */
  get silenceLimitMs() {
    return this.heartbeatMs * 1.5 + SILENCE_MARGIN_MS;
  }

  wasUseful() {
    return Math.abs(this.#heardAt - this.#startedAt) >= USEFUL_MS;
  }

  /** Something outside says that the network is gone. The next message proves it wrong. */
  doubt() {
    this.#doubted = true;
  }

  /** Whether it has been silent for longer than a heartbeat, or was doubted and not heard since. */
  isDoubtful() {
    // A clock set back makes the difference negative: then nothing is known, and doubt is the safe side.
    return this.#doubted || Math.abs(this.#clock.now() - this.#heardAt) > this.heartbeatMs;
  }

  /** @param {Message} message */
  #heard(message) {
    this.#heardAt = this.#clock.now();
    this.#doubted = false;
    if (message.type === "hello" && message.heartbeat_ms > 0) this.heartbeatMs = message.heartbeat_ms;
    this.#cancelWatch();
    this.#cancelWatch = this.#clock.after(this.silenceLimitMs, () => this.#end({ asked: false }));
    if (message.type === "bye") this.#end({ retryMs: message.retry_ms, asked: true });
    else this.#onmessage(message);
  }

  /** @param {LinkEnding} ending */
  #end(ending) {
    this.stop();
    this.#onend(ending);
  }
}
