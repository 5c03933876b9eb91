// @ts-check
/** Sends one request and measures its response: who responded, after how long, and when the response was made. */
import { parseTime } from "../../petstore/connection/server-clock.js";
import { withTimeout } from "../../petstore/clock.js";
/** @import { RequestResult } from "./measurement.js" */
/** @import { ProbeContext } from "./probes.js" */

/** Time limit beyond the time that the server was asked to wait. */
const LIMIT_MS = 10_000;

/** `Date` has whole seconds (RFC 9110, 6.6.1), and servers cache it for up to a second. */
const DATE_PRECISION_MS = 2_000;

/** @typedef {(response: Response) => Promise<{ isFromServer: boolean, serverMs: number | null, precisionMs: number }>} Read */

/** Reads a plain text response. @type {Read} */
export async function readPlain(response) {
  return { isFromServer: response.ok && isType(response, "text/plain"), ...dateOf(response) };
}

/** Reads a poll response, whose messages say when they were sent. @type {Read} */
export async function readPoll(response) {
  const body = response.ok && isType(response, "application/json") ? await response.json() : null;
  const isFromServer = Array.isArray(body?.messages);
  const times = isFromServer ? body.messages.map((/** @type {any} */ message) => parseTime(message?.server_time)) : [];
  const known = times.filter((/** @type {number | null} */ ms) => ms !== null);
  return { isFromServer, serverMs: known.length > 0 ? Math.max(...known) : null, precisionMs: 0 };
}

/** Reads the head of a stream, whose body does not end. @type {Read} */
export async function readHead(response) {
  await response.body?.cancel();
  return { isFromServer: response.ok && isType(response, "text/event-stream"), ...dateOf(response) };
}

/**
 * @param {ProbeContext} context
 * @param {object} request
 * @param {string} request.url
 * @param {Read} request.read
 * @param {number} [request.waitMs]  How long the server is asked to wait before it responds.
 * @param {Record<string, string>} [request.headers]
 * @returns {Promise<RequestResult>}
 */
export async function sendRequest({ browser, clock, signal: outer }, { url, read, waitMs = 0, headers = {} }) {
  const sentAt = clock.elapsed();
  /** @type {RequestResult} */
  const result = {
    sentAt,
    waitMs,
    tookMs: 0,
    outcome: "answered",
    status: null,
    contentType: "",
    isFromServer: false,
    sample: null,
    precisionMs: 0,
  };
  await withTimeout({ clock, limitMs: waitMs + LIMIT_MS, signal: outer }, async (signal) => {
    try {
      const response = await browser.fetch(url, { signal, cache: "no-store", headers });
      result.status = response.status;
      result.contentType = response.headers.get("content-type")?.split(";")[0] ?? "";
      const { isFromServer, serverMs, precisionMs } = await read(response);
      result.isFromServer = isFromServer;
      result.sample = { serverMs, receivedAt: clock.elapsed() };
      result.precisionMs = precisionMs;
    } catch {
      result.outcome = signal.aborted ? "timeout" : "failed";
    }
  });
  result.tookMs = clock.elapsed() - sentAt;
  return result;
}

/** @param {Response} response */
function dateOf(response) {
  return { serverMs: parseTime(response.headers.get("date")), precisionMs: DATE_PRECISION_MS };
}

/** @param {Response} response @param {string} type */
function isType(response, type) {
  return response.headers.get("content-type")?.startsWith(type) ?? false;
}
