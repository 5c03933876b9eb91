// @ts-check
/** Asks the server something, and measures how it is answered: by whom, after how long, and when it was made. */
import { parseTime } from "../../state/server-clock.js";

/** @typedef {import("../../state/doctor/measurement.js").Answer} Answer */

/** How long an answer may take beyond what the server was asked to wait. */
const ANSWER_LIMIT_MS = 10_000;

/** `Date` (RFC 9110, 6.6.1) has whole seconds, and servers write the same one for up to a second. */
const DATE_PRECISION_MS = 2_000;

/**
 * What is taken from an answer.
 * @typedef {(response: Response) => Promise<{ isOurs: boolean, serverMs: number | null, precisionMs: number }>} Read
 */

/** Of an answer that stands alone. @type {Read} */
export async function readPlain(response) {
  return { isOurs: response.ok && isKind(response, "text/plain"), ...dateOf(response) };
}

/** Of the board, whole or unchanged since. @type {Read} */
export async function readState(response) {
  const isOurs = response.status === 304 || (response.ok && isKind(response, "application/json"));
  return { isOurs, ...dateOf(response) };
}

/** Of a poll: its messages say when they were made. @type {Read} */
export async function readPoll(response) {
  const answer = response.ok && isKind(response, "application/json") ? await response.json() : null;
  const isOurs = Array.isArray(answer?.messages);
  const times = isOurs ? answer.messages.map((/** @type {any} */ message) => parseTime(message?.server_time)) : [];
  const known = times.filter((/** @type {number | null} */ ms) => ms !== null);
  return { isOurs, serverMs: known.length > 0 ? Math.max(...known) : null, precisionMs: 0 };
}

/** Of a stream, whose end nobody waits for. @type {Read} */
export async function readHead(response) {
  await response.body?.cancel();
  return { isOurs: response.ok && isKind(response, "text/event-stream"), ...dateOf(response) };
}

/**
 * @typedef {object} Question
 * @property {string} url
 * @property {Read} read
 * @property {number} [waitMs]  How long the server is asked to wait before it answers.
 * @property {Record<string, string>} [headers]
 * @property {(headers: Headers) => void} [onhead]
 */

/**
 * @param {import("./probes.js").Lab} lab
 * @param {Question} question
 * @returns {Promise<Answer>}
 */
export async function ask({ browser, clock, signal }, { url, read, waitMs = 0, headers = {}, onhead }) {
  const askedAt = clock.elapsed();
  const abort = new AbortController();
  const stop = () => abort.abort();
  const cancelLimit = clock.after(waitMs + ANSWER_LIMIT_MS, stop);
  signal.addEventListener("abort", stop);
  if (signal.aborted) stop();
  /** @type {Answer} */
  const answer = {
    askedAt,
    waitMs,
    tookMs: 0,
    outcome: "answered",
    status: null,
    contentType: "",
    isOurs: false,
    sample: null,
    precisionMs: 0,
  };
  try {
    const response = await browser.fetch(url, { signal: abort.signal, cache: "no-store", headers });
    answer.status = response.status;
    answer.contentType = response.headers.get("content-type")?.split(";")[0] ?? "";
    onhead?.(response.headers);
    const { isOurs, serverMs, precisionMs } = await read(response);
    answer.isOurs = isOurs;
    answer.sample = { serverMs, receivedAt: clock.elapsed() };
    answer.precisionMs = precisionMs;
  } catch {
    answer.outcome = abort.signal.aborted ? "unanswered" : "failed";
  } finally {
    cancelLimit();
    signal.removeEventListener("abort", stop);
  }
  answer.tookMs = clock.elapsed() - askedAt;
  return answer;
}

/** @param {Response} response */
function dateOf(response) {
  return { serverMs: parseTime(response.headers.get("date")), precisionMs: DATE_PRECISION_MS };
}

/**
 * @param {Response} response
 * @param {string} kind
 */
function isKind(response, kind) {
  return response.headers.get("content-type")?.startsWith(kind) ?? false;
}
