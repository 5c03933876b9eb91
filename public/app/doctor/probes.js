// @ts-check
/** One probe for each connection type. Each has a time limit, and ends early when its signal aborts. */
import { delay } from "../../petstore/clock.js";
import { liveUrl } from "../../petstore/transports/url.js";
import { SseTransport } from "../../petstore/transports/sse.js";
import { WebSocketTransport } from "../../petstore/transports/websocket.js";
import { EchoSocket } from "./echo-socket.js";
import { readHead, readPlain, readPoll, sendRequest } from "./request-probe.js";
import { probeStream } from "./stream-probe.js";
/** @import { RequestMeasurement, RequestResult, StreamMeasurement } from "./measurement.js" */
/** @import { Clock } from "../../petstore/clock.js" */
/** @import { Browser } from "../../petstore/open-connection.js" */
/** @import { Watch } from "../../petstore/transports/url.js" */

/**
 * @typedef {object} ProbeContext
 * @property {Pick<Browser, "WebSocket" | "EventSource" | "fetch">} browser
 * @property {Clock} clock
 * @property {Watch} watch  Of a pet without changes, so that messages come regularly.
 * @property {string} since  A cursor with no changes after it.
 * @property {number} heartbeatMs
 * @property {AbortSignal} signal
 */

/** Number of round trips; the best one counts. */
const ROUND_TRIPS = 3;

/** Time between two equal requests: a cached response is then old enough to be recognized. */
const REPEAT_MS = 3_000;

/** The longest that the server lets a poll wait. */
export const WAIT_LIMIT_MS = 25_000;

/**
 * @param {ProbeContext} context
 * @returns {Promise<RequestMeasurement>}
 */
export async function probeHttp(context) {
  const url = `${context.watch.site}/healthz`;
  const send = () => sendRequest(context, { url, read: readPlain });
  return { probe: "http", requests: await inTurn(Array(ROUND_TRIPS).fill(send)) };
}

/**
 * @param {ProbeContext} context
 * @returns {Promise<StreamMeasurement>}
 */
export async function probeWebSocket(context) {
  const { WebSocket } = context.browser;
  const stream = await probeStream(context, new WebSocketTransport({ ...context, WebSocket }));
  if (stream.isSustained && !context.signal.aborted) stream.roundTripMs = await measureRoundTrip(context);
  return stream;
}

/** @param {ProbeContext} context */
async function measureRoundTrip(context) {
  const socket = new EchoSocket(context);
  let bestMs = null;
  if (await socket.opened()) {
    for (let round = 0; round < ROUND_TRIPS; round += 1) {
      const ms = await socket.ping();
      if (ms === null) break;
      bestMs = Math.min(bestMs ?? Infinity, ms);
    }
  }
  socket.close();
  return bestMs;
}

/**
 * @param {ProbeContext} context
 * @returns {Promise<StreamMeasurement>}
 */
export async function probeSse(context) {
  const { browser, watch, since, signal } = context;
  const stream = await probeStream(context, new SseTransport({ EventSource: browser.EventSource, watch }));
  if (stream.openMs === null && !signal.aborted) {
    const url = liveUrl(watch, "/live/sse", since);
    stream.refusal = await sendRequest(context, { url, read: readHead, headers: { accept: "text/event-stream" } });
  }
  return stream;
}

/**
 * Polls like a page: once without waiting, then for about a heartbeat. The first request is repeated at the end, to detect
 * a cache.
 * @param {ProbeContext} context
 * @returns {Promise<RequestMeasurement>}
 */
export async function probePoll(context) {
  const seconds = Math.max(1, Math.floor(context.heartbeatMs / 1000));
  const poll = (/** @type {number} */ waitMs) => () => {
    const url = liveUrl(context.watch, "/live/poll", context.since, { wait: waitMs / 1000 });
    return sendRequest(context, { url, read: readPoll, waitMs });
  };
  const waitMs = Math.min(WAIT_LIMIT_MS, seconds * 1000);
  return { probe: "poll", requests: await inTurn([poll(0), poll(waitMs), later(context, poll(0))]) };
}

/**
 * Polls twice without waiting, like a page that uses short polling, but at one address, to detect a cache.
 * @param {ProbeContext} context
 * @returns {Promise<RequestMeasurement>}
 */
export async function probeShort(context) {
  const url = liveUrl(context.watch, "/live/poll", context.since, { wait: 0, transport: "short" });
  const poll = () => sendRequest(context, { url, read: readPoll });
  return { probe: "short", requests: await inTurn([poll, later(context, poll)]) };
}

/** Sends one request after the other, until one goes wrong. @param {(() => Promise<RequestResult>)[]} requests */
async function inTurn(requests) {
  const results = [];
  for (const send of requests) {
    const result = await send();
    results.push(result);
    if (!result.isFromServer) break;
  }
  return results;
}

/**
 * @param {ProbeContext} context
 * @param {() => Promise<RequestResult>} send
 * @returns {() => Promise<RequestResult>} Sends after a delay.
 */
const later = (context, send) => async () => {
  await delay(context, REPEAT_MS);
  return send();
};
