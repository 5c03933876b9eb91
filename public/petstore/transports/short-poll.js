// @ts-check
/**
 * The short polling transport: requests the board every few seconds, for networks that cut every request that waits.
 *
 * `GET /live/state` answers with a snapshot only, so this transport makes the hello and heartbeat messages itself.
 * Intermediate statuses between two requests are not seen.
 */
import { NOT_MODIFIED, PollingTransport } from "./polling.js";
/** @import { Clock } from "../clock.js" */
/** @import { Transport } from "./transport.js" */
/** @import { Watch } from "./url.js" */

const GAP_MS = 3_000;

/** If the browser is set to save data. */
const SAVE_DATA_GAP_MS = 10_000;

/** @implements {Transport} */
export class ShortPollTransport extends PollingTransport {
  /** @type {"short"} */
  name = "short";
  #savesData;
  /** The `ETag` of the last snapshot; before the first one, the tag of the page itself. */
  #etag = "";

  /** @param {{ fetch: typeof fetch, watch: Watch, clock: Clock, savesData: () => boolean }} options */
  constructor({ savesData, ...options }) {
    super(options);
    this.#savesData = savesData;
  }

  begin() {
    this.#etag = this.cursor && `"${this.cursor}"`;
  }

  nextRequest() {
    /** @type {Record<string, string>} */
    const headers = this.#etag ? { "if-none-match": this.#etag } : {};
    return { path: "/live/state", params: { transport: this.name }, headers };
  }

  /** @param {Response} response */
  async read(response) {
    // Twice the gap: the next response takes one gap, and its own round trip.
    const hello = () => ({ type: "hello", cursor: this.cursor, transport: this.name, heartbeat_ms: 2 * this.gapMs });
    if (response.status === NOT_MODIFIED) return [hello(), { type: "heartbeat", cursor: this.cursor }];
    const snapshot = await response.json();
    // A cluster node that is behind the one that answered before: the page keeps its board.
    if (snapshot?.type === "stale") return [hello(), snapshot];
    if (snapshot?.type !== "snapshot") throw new TypeError("not a snapshot");
    this.cursor = snapshot.cursor;
    this.#etag = response.headers.get("etag") ?? "";
    return [hello(), snapshot];
  }

  get gapMs() {
    return this.#savesData() ? SAVE_DATA_GAP_MS : GAP_MS;
  }
}
