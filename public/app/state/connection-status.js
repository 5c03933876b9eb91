// @ts-check
/** The connection status as our pages write it: the summary of the connection in words, and the pause. */
import { agoText, momentText } from "./time-text.js";
/** @import { ConnectionSummary, Summary } from "../../petstore/connection-summary.js" */
/** @import { ServerClock } from "../../petstore/connection/server-clock.js" */
/** @import { DrawLag } from "./draw-lag.js" */
/** @import { ShownTransport } from "../../petstore/transports/transport.js" */

/**
 * @typedef {object} Status
 * @property {Summary["state"] | "paused"} state
 * @property {"fresh" | "paused" | "stale"} freshness  Of the data on the page: up to date, held on request, or old.
 * @property {string} text  E.g. "Live".
 * @property {string} [details]  E.g. "WebSocket, last message 3 s ago". Changes every second.
 * @property {ShownTransport} [transport]  The transport in use.
 */

/** @type {Record<ShownTransport, string>} */
export const TRANSPORT_NAMES = {
  ws: "WebSocket",
  sse: "Server-Sent Events",
  poll: "Long polling",
  short: "Short polling",
  log: "Shared polling",
};

/** By state, or by transport. @type {Record<string, string>} */
const TEXTS = {
  connecting: "Connecting…",
  live: "Live",
  polling: "Live, with a short delay",
  log: "Live, every few seconds",
  delayed: "Delayed: your network blocks live updates, so we check every few seconds.",
};

/** If changes wait this long to be drawn, the page says so. The summary allows two seconds before that; both are within 3 s. */
const DRAW_LIMIT_MS = 1_000;

const BUSY_TEXT = "Delayed: this device is too busy to keep up.";
const LATE_TEXT = "Delayed: your network is slow right now.";

export class ConnectionStatus {
  #summary;
  #serverClock;
  #drawLag;
  /** @type {number | null} Server time of the data that is shown while paused. */
  #pausedAsOf = null;

  /**
   * @param {object} options
   * @param {Pick<ConnectionSummary, "asOf" | "current">} options.summary
   * @param {ServerClock} options.serverClock
   * @param {Pick<DrawLag, "currentMs">} options.drawLag
   */
  constructor({ summary, serverClock, drawLag }) {
    this.#summary = summary;
    this.#serverClock = serverClock;
    this.#drawLag = drawLag;
  }

  pause() {
    this.#pausedAsOf ??= this.#summary.asOf;
  }

  resume() {
    this.#pausedAsOf = null;
  }

  /** @returns {Status} Changes with time alone, so call this every second. */
  current() {
    if (this.#pausedAsOf !== null) {
      const text = `Paused. Showing what we knew at ${this.#timeText(this.#pausedAsOf)}.`;
      return { state: "paused", freshness: "paused", text };
    }
    const { state, transport, reason, asOf, silentMs, behindMs } = this.#summary.current();
    if (state === "offline") {
      const what = reason === "database" ? "The server can't reach its database" : "Offline";
      return { state, freshness: "stale", text: `${what}. Showing what we knew at ${this.#timeText(asOf)}.` };
    }
    if (transport === null) return { state, freshness: "fresh", text: TEXTS[state] };
    const drawMs = this.#drawLag.currentMs();
    const isBusy = reason === "busy" || (!reason && drawMs >= DRAW_LIMIT_MS);
    if (isBusy || reason === "late") {
      const details = `${Math.floor(((reason ? behindMs : 0) + drawMs) / 1000)} s behind`;
      return { state: "delayed", freshness: "fresh", text: isBusy ? BUSY_TEXT : LATE_TEXT, details, transport };
    }
    const details = `${TRANSPORT_NAMES[transport]}, last message ${agoText(silentMs)}`;
    return { state, freshness: "fresh", text: TEXTS[transport] ?? TEXTS[state], details, transport };
  }

  /** @param {number} ms  Server time. */
  #timeText(ms) {
    return momentText(ms, this.#serverClock.now());
  }
}
