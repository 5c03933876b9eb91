// @ts-check
/**
 * The polling transports: one request after the other, each at the cursor of the last response. Any failure ends the
 * transport; the connection decides about a retry.
 *
 * Over long polling the server holds a request until there is a message. The first request does not wait, so its message
 * comes as early as over the other transports, unless the page has received a hello with its first poll. Short polling is
 * for networks that cut every request that waits: it asks every few seconds.
 *
 * If the server is full, hello has the address of its log, which long polling then follows: see `follow.js`.
 *
 * Each request has its own path, so that no cache can confuse two of them, not even one that ignores `no-store` or the
 * query. A response that is repeated or older than its request ends the transport: it is no sign of life.
 */
import { delay } from "../clock.js";
import { isNewer } from "../protocol/cursor.js";
import { isMessage } from "../protocol/message.js";
import { noop } from "./transport.js";
import { heartbeatParam, liveUrl } from "./url.js";
/** @import { Clock } from "../clock.js" */
/** @import { Message } from "../protocol/message.js" */
/** @import { CloseInfo, Switch, Transport } from "./transport.js" */
/** @import { HeartbeatInterval } from "../connection/heartbeat-interval.js" */
/** @import { Watch } from "./url.js" */

/** The longest that the server holds a request. */
const WAIT_LIMIT_S = 25;

/** Time from one request of short polling to the next, and the same if the browser is set to save data. */
const SHORT_GAP_MS = 3_000;
const SAVE_DATA_GAP_MS = 10_000;

/** Bounds the request rate of long polling on a busy board: a few at a time, and not more than this on average. */
const INTERVAL_MS = 1000 / 15;
const BURST = 10;

/** Failed requests of this page. Browsers keep a module that failed, so it has another address after each. */
let failures = 0;

/** @implements {Transport} */
export class PollingTransport {
  name;
  /** @type {Transport["onmessage"]} */
  onmessage = noop;
  /** @type {Transport["onstate"]} */
  onstate = noop;
  roundTripMs = 0;
  /** @type {string | undefined} The address at which to follow the log. */
  log;
  /** Returns the next messages of the log; undefined until the module for that is there. @type {any} */
  #next;
  #fetch;
  #watch;
  #clock;
  #nonce;
  #heartbeat;
  #savesData;
  /** The cursor of the next request. */
  #cursor = "";
  #waitS = 0;
  /** `server_time` of the last response, as the server wrote it. @type {string | undefined} */
  #respondedAt;
  /** When the next request would be due at the average rate. */
  #dueMs = 0;
  /** @type {Switch | undefined} Sent with the first request. */
  #cause;
  /** @type {AbortController | null} */
  #abort = null;

  /**
   * @param {"poll" | "short"} name
   * @param {object} options
   * @param {typeof fetch} options.fetch
   * @param {Watch} options.watch
   * @param {Clock} options.clock
   * @param {() => string} options.nonce  Returns a word that was never in a request of any page.
   * @param {HeartbeatInterval} [options.heartbeat]
   * @param {() => boolean} options.savesData
   */
  constructor(name, { fetch, watch, clock, nonce, heartbeat, savesData }) {
    this.name = name;
    this.#fetch = fetch;
    this.#watch = watch;
    this.#clock = clock;
    this.#nonce = nonce;
    this.#heartbeat = heartbeat;
    this.#savesData = savesData;
  }

  /** @param {string} since @param {Switch} [cause] @param {Message} [hello]  Received with the first poll of the page. */
  open(since, cause, hello) {
    this.close();
    this.#cursor = since;
    this.#cause = cause;
    this.#waitS = hello ? waitSeconds(hello) : 0;
    this.log = hello?.log;
    this.#next = undefined;
    this.#abort = new AbortController();
    this.#run(this.#abort.signal);
  }

  close() {
    this.#abort?.abort();
    this.#abort = null;
  }

  /** @param {AbortSignal} signal */
  async #run(signal) {
    while (!signal.aborted) {
      const startMs = this.#clock.elapsed();
      let messages;
      try {
        messages = await (this.log ? this.#follow(signal) : this.#request(signal));
      } catch (/** @type {any} */ { retryMs }) {
        failures += 1;
        if (!signal.aborted) this.#end({ retryMs });
        return;
      }
      if (signal.aborted) return;
      this.roundTripMs = this.#clock.elapsed() - startMs;
      this.#deliver(messages, signal);
      await delay({ clock: this.#clock, signal }, startMs + this.#gapMs(startMs) - this.#clock.elapsed());
    }
  }

  /**
   * Returns the next messages of the log.
   * @param {AbortSignal} signal
   */
  async #follow(signal) {
    const { site } = this.#watch;
    this.#next ??= (await import(`${site}/live/follow.js?${failures}`)).follow({
      site,
      address: this.log,
      since: this.#cursor,
      fetch: this.#fetch,
      clock: this.#clock,
    });
    return this.#next(signal);
  }

  /**
   * Returns the least time from a request to the next one.
   * @param {number} startMs  When the request was sent.
   */
  #gapMs(startMs) {
    if (this.name === "short") return this.#shortGapMs;
    this.#dueMs = Math.max(this.#dueMs, startMs) + INTERVAL_MS;
    return this.#dueMs - startMs - INTERVAL_MS * BURST;
  }

  get #shortGapMs() {
    return this.#savesData() ? SAVE_DATA_GAP_MS : SHORT_GAP_MS;
  }

  /**
   * @param {AbortSignal} signal
   * @returns {Promise<unknown[]>} The messages. Rejects if the response is not a new one of the server.
   */
  async #request(signal) {
    /** @type {Record<string, string | number>} */
    const kind = this.name === "short" ? { transport: "short" } : { log: 1, ...heartbeatParam(this.#heartbeat) };
    const params = { wait: this.#waitS, ...kind, ...this.#cause };
    const url = liveUrl(this.#watch, `/live/poll/${this.#nonce()}`, this.#cursor, params);
    this.#cause = undefined;
    const fetch = this.#fetch;
    const response = await fetch(url, { signal, cache: "no-store", headers: { accept: "application/json" } });
    // In seconds (RFC 9110, 10.2.3). The form with a date needs a correct local clock.
    if (!response.ok) throw { retryMs: Number(response.headers.get("retry-after")) * 1000 || undefined };
    return this.#read(await response.json());
  }

  /** @param {any} body */
  #read({ cursor, messages }) {
    const all = messages.filter(isMessage);
    const hello = all.find((/** @type {Message} */ { type }) => type === "hello");
    const respondedAt = hello?.server_time;
    if (respondedAt && respondedAt === this.#respondedAt) throw {};
    // Only a snapshot leads back, e.g. after the store was restored from a backup.
    if (isNewer(this.#cursor, cursor) && !all.some((/** @type {Message} */ { type }) => type === "snapshot")) throw {};
    this.#respondedAt = respondedAt;
    this.#cursor = cursor ?? this.#cursor;
    if (this.name === "poll") {
      this.#waitS = waitSeconds(hello);
      this.log = hello?.log;
      return all;
    }
    // Twice the gap: the next response takes one gap, and its own round trip.
    const heartbeatMs = Math.max(hello?.heartbeat_ms ?? 0, 2 * this.#shortGapMs);
    return all.map((/** @type {Message} */ message) =>
      message === hello ? { ...hello, transport: this.name, heartbeat_ms: heartbeatMs } : message,
    );
  }

  /**
   * @param {unknown[]} messages
   * @param {AbortSignal} signal  A handler may close the transport; the remaining messages are then dropped.
   */
  #deliver(messages, signal) {
    for (const message of /** @type {Message[]} */ (messages)) {
      if (signal.aborted) return;
      this.onmessage(message);
      if (message.type === "bye" && !signal.aborted) return this.#end({ retryMs: message.retry_ms });
    }
  }

  /** @param {CloseInfo} info */
  #end(info) {
    this.close();
    this.onstate("closed", info);
  }
}

/** Returns about one heartbeat, so that silence means the same as on the other transports. @param {Message} [hello] */
function waitSeconds(hello) {
  return Math.min(WAIT_LIMIT_S, Math.max(1, Math.floor(hello?.heartbeat_ms / 1000) || WAIT_LIMIT_S));
}
