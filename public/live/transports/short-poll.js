// @ts-check
/**
 * The short poll transport: asks for the board every few seconds, for networks that cut whatever waits.
 *
 * `GET /live/state` knows no messages but the snapshot, so hello and heartbeat are this transport's own. Steps between
 * two questions are not seen, only what they came to.
 */
import { Asking } from "./polling.js";
import { liveUrl } from "./url.js";

const ASK_GAP_MS = 3_000;

/** For a reader who wants to save data. */
const FRUGAL_GAP_MS = 10_000;

const NOT_MODIFIED = 304;

/** @typedef {import("./transport.js").Transport} Transport */

/** @implements {Transport} */
export class ShortTransport extends Asking {
  /** @type {"short"} */
  name = "short";
  #watch;
  #isFrugal;
  /** The last snapshot's; it is the page's own until there is one. */
  #tag = "";
  #cursor = "";
  /** @type {import("./transport.js").Change | undefined} */
  #change;

  /**
   * @param {object} parts
   * @param {typeof fetch} parts.fetch
   * @param {import("./url.js").Watch} parts.watch
   * @param {import("../clock.js").Clock} parts.clock
   * @param {() => boolean} parts.isFrugal
   */
  constructor({ fetch, watch, clock, isFrugal }) {
    super({ fetch, clock });
    this.#watch = watch;
    this.#isFrugal = isFrugal;
  }

  /**
   * @param {string} since
   * @param {import("./transport.js").Change} [change]
   */
  begin(since, change) {
    this.#cursor = since;
    this.#tag = since && `"${since}"`;
    this.#change = change;
  }

  question() {
    const url = liveUrl(this.#watch, "/live/state", this.#cursor, { rung: this.name, ...this.#change });
    this.#change = undefined;
    /** @type {Record<string, string>} */
    const headers = this.#tag ? { "if-none-match": this.#tag } : {};
    return { url, headers };
  }

  /** @param {Response} response */
  async read(response) {
    // The question after this one may be a rest away, and take its time too.
    const hello = () => ({ type: "hello", cursor: this.#cursor, transport: this.name, heartbeat_ms: 2 * this.gapMs });
    if (response.status === NOT_MODIFIED) return [hello(), { type: "heartbeat", cursor: this.#cursor }];
    const snapshot = await response.json();
    // A node of a cluster that is behind the one that answered before: what is shown stays.
    if (snapshot?.type === "stale") return [hello(), snapshot];
    if (snapshot?.type !== "snapshot") throw new TypeError("not a snapshot");
    this.#cursor = snapshot.cursor;
    this.#tag = response.headers.get("etag") ?? "";
    return [hello(), snapshot];
  }

  get gapMs() {
    return this.#isFrugal() ? FRUGAL_GAP_MS : ASK_GAP_MS;
  }
}
