// @ts-check
/**
 * The long polling transport: the server holds each request until there is a message, and the next request starts at the
 * cursor of the response.
 *
 * The first request does not wait, so the first message comes as early as over the other transports.
 */
import { PollingTransport } from "./polling.js";
import { liveUrl } from "./url.js";
/** @import { Clock } from "../clock.js" */
/** @import { Switch, Transport } from "./transport.js" */
/** @import { Watch } from "./url.js" */

/** The longest that the server holds a request. */
const WAIT_LIMIT_S = 25;

/** Bounds the request rate if a busy store, or a cache, answers immediately. */
const GAP_MS = 500;

/** @implements {Transport} */
export class LongPollTransport extends PollingTransport {
  /** @type {"poll"} */
  name = "poll";
  #watch;
  #cursor = "";
  #waitS = 0;
  /** @type {Switch | undefined} */
  #cause;

  /** @param {{ fetch: typeof fetch, watch: Watch, clock: Clock }} options */
  constructor({ fetch, watch, clock }) {
    super({ fetch, clock });
    this.#watch = watch;
  }

  /** @param {string} since @param {Switch} [cause] */
  begin(since, cause) {
    this.#cursor = since;
    this.#waitS = 0;
    this.#cause = cause;
  }

  nextRequest() {
    const url = liveUrl(this.#watch, "/live/poll", this.#cursor, { wait: this.#waitS, ...this.#cause });
    this.#cause = undefined;
    return { url };
  }

  /** @param {Response} response */
  async read(response) {
    const body = await response.json();
    if (!Array.isArray(body?.messages)) throw new TypeError("not a poll response");
    if (typeof body.cursor === "string") this.#cursor = body.cursor;
    const hello = body.messages.find((/** @type {any} */ message) => message?.type === "hello");
    if (hello) this.#waitS = waitSeconds(hello.heartbeat_ms);
    return body.messages;
  }

  get gapMs() {
    return GAP_MS;
  }
}

/**
 * Returns about one heartbeat, so that silence means the same as on the other transports.
 * @param {unknown} heartbeatMs
 */
function waitSeconds(heartbeatMs) {
  const heartbeatS = typeof heartbeatMs === "number" ? Math.floor(heartbeatMs / 1000) : WAIT_LIMIT_S;
  return Math.min(WAIT_LIMIT_S, Math.max(1, heartbeatS));
}
