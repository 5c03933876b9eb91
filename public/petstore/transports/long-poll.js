// @ts-check
/**
 * The long polling transport: the server holds each request until there is a message, and the next request starts at the
 * cursor of the response.
 *
 * The first request does not wait, so the first message comes as early as over the other transports.
 */
import { PollingTransport } from "./polling.js";
/** @import { Transport } from "./transport.js" */

/** The longest that the server holds a request. */
const WAIT_LIMIT_S = 25;

/** Bounds the request rate if a busy store, or a cache, answers immediately. */
const GAP_MS = 500;

/** @implements {Transport} */
export class LongPollTransport extends PollingTransport {
  /** @type {"poll"} */
  name = "poll";
  #waitS = 0;

  begin() {
    this.#waitS = 0;
  }

  nextRequest() {
    return { path: "/live/poll", params: { wait: this.#waitS } };
  }

  /** @param {Response} response */
  async read(response) {
    const body = await response.json();
    if (!Array.isArray(body?.messages)) throw new TypeError("not a poll response");
    if (typeof body.cursor === "string") this.cursor = body.cursor;
    const hello = body.messages.find((/** @type {any} */ message) => message?.type === "hello");
    if (hello) this.#waitS = waitSeconds(hello.heartbeat_ms);
    return body.messages;
  }

  get gapMs() {
    return GAP_MS;
  }
}

/** Returns about one heartbeat, so that silence means the same as on the other transports. @param {unknown} heartbeatMs */
function waitSeconds(heartbeatMs) {
  const heartbeatS = typeof heartbeatMs === "number" ? Math.floor(heartbeatMs / 1000) : WAIT_LIMIT_S;
  return Math.min(WAIT_LIMIT_S, Math.max(1, heartbeatS));
}
