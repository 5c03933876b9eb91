// @ts-check
/**
 * The long poll transport: asks, waits until there is something to say, asks again from the cursor it got.
 *
 * The first question does not wait, so that polling delivers as early as the others do.
 */
import { Asking } from "./polling.js";
import { liveUrl } from "./url.js";

/** The longest the server holds a question. */
const WAIT_LIMIT_S = 25;

/** A busy store, or a cache that answers at once, must not make it a flood. */
const ASK_GAP_MS = 500;

/** @typedef {import("./transport.js").Transport} Transport */

/** @implements {Transport} */
export class PollTransport extends Asking {
  /** @type {"poll"} */
  name = "poll";
  #watch;
  #cursor = "";
  #waitS = 0;
  /** @type {import("./transport.js").Change | undefined} */
  #change;

  /**
   * @param {object} parts
   * @param {typeof fetch} parts.fetch
   * @param {import("./url.js").Watch} parts.watch
   * @param {import("../clock.js").Clock} parts.clock
   */
  constructor({ fetch, watch, clock }) {
    super({ fetch, clock });
    this.#watch = watch;
  }

  /**
   * @param {string} since
   * @param {import("./transport.js").Change} [change]
   */
  begin(since, change) {
    this.#cursor = since;
    this.#waitS = 0;
    this.#change = change;
  }

  question() {
    const url = liveUrl(this.#watch, "/live/poll", this.#cursor, { wait: this.#waitS, ...this.#change });
    this.#change = undefined;
    return { url };
  }

  /** @param {Response} response */
  async read(response) {
    const answer = await response.json();
    if (!Array.isArray(answer?.messages)) throw new TypeError("not a poll answer");
    if (typeof answer.cursor === "string") this.#cursor = answer.cursor;
    const hello = answer.messages.find((/** @type {any} */ message) => message?.type === "hello");
    if (hello) this.#waitS = waitSeconds(hello.heartbeat_ms);
    return answer.messages;
  }

  get gapMs() {
    return ASK_GAP_MS;
  }
}

/**
 * How long to let the server wait: about a heartbeat, so that silence means the same as on the other transports.
 * @param {unknown} heartbeatMs
 */
function waitSeconds(heartbeatMs) {
  const heartbeatS = typeof heartbeatMs === "number" ? Math.floor(heartbeatMs / 1000) : WAIT_LIMIT_S;
  return Math.min(WAIT_LIMIT_S, Math.max(1, heartbeatS));
}
