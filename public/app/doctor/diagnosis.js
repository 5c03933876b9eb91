// @ts-check
/**
 * Diagnoses one connection type from its measurement.
 *
 * It works only if all of it was seen: it opens, messages arrive in time, and they keep arriving. What the browser reports
 * proves little: proxies buffer open streams, and drop the frames of open sockets.
 */
import { isStream } from "./measurement.js";
/** @import { IdleResult, Measurement, RequestMeasurement, RequestResult, StreamMeasurement } from "./measurement.js" */

/**
 * - `works`
 * - `refused`: it does not open, or the response is an error
 * - `intercepted`: something other than the server responds
 * - `timeout`: neither a response nor a refusal
 * - `busy`, `stopping`: the server says so; this says nothing about the network
 * - `silent`: opens, without any message
 * - `stalled`: only the first message arrives
 * - `buffered`: each message arrives only with the next one
 * - `late`: messages arrive too late
 * - `cut`: ended in the middle
 * - `poll-timeout`: a request that waits gets no response, but one that does not wait does
 * - `cached`: the response is older than the request
 * @typedef {"works" | "refused" | "intercepted" | "timeout" | "busy" | "stopping" | "silent" | "stalled" | "buffered"
 *   | "late" | "cut" | "poll-timeout" | "cached"} Kind
 */

/**
 * @typedef {object} Finding
 * @property {Kind} kind
 * @property {number} [ms]  How late, how old, or after how long.
 * @property {number | null} [status]  HTTP status, if there was a response.
 * @property {string} [contentType]
 */

/** Pages leave a transport whose messages are this late. */
const LATE_MS = 3_000;

/** A message that is about one heartbeat late waited for the next heartbeat. */
const BUFFERED_FROM = 0.7;
const BUFFERED_UP_TO = 1.3;

/** A response is older than its request only beyond this difference: both clocks are read to the millisecond. */
const CACHED_MS = 500;

/** Statuses of a proxy that gave up waiting for the server. */
const GATEWAY_TIMEOUTS = [502, 504];

/**
 * @param {Measurement} measurement
 * @param {number | null} offsetMs  See `clockOffsetMs`.
 * @param {number} heartbeatMs
 * @param {IdleResult | null} idle
 * @returns {Finding}
 */
export function diagnose(measurement, offsetMs, heartbeatMs, idle) {
  if (!isStream(measurement)) return diagnoseRequests(measurement, offsetMs, idle);
  const finding = diagnoseStream(measurement, offsetMs, heartbeatMs);
  // A live WebSocket carries heartbeats, so the fate of a silent one does not count.
  const isCut = finding.kind === "works" && measurement.probe === "sse" && idle !== null && idle.outcome !== "survived";
  return isCut ? { kind: idle.outcome === "ended" ? "cut" : "stalled", ms: idle.ms } : finding;
}

/**
 * @param {StreamMeasurement} stream
 * @param {number | null} offsetMs
 * @param {number} heartbeatMs
 * @returns {Finding}
 */
function diagnoseStream(stream, offsetMs, heartbeatMs) {
  const { openMs, firstMs, endedMs } = stream;
  if (openMs === null) return diagnoseUnopened(stream);
  if (stream.isServerEnd) return { kind: "stopping" };
  if (endedMs !== null) return { kind: "cut", ms: endedMs - openMs };
  if (firstMs === null) return { kind: "silent" };
  // The first message is sent when the stream opens, so its lag is known without the server's clock.
  const lagMs = Math.max(firstMs - openMs, worstLagMs(stream, offsetMs));
  const inHeartbeats = lagMs / heartbeatMs;
  if (inHeartbeats >= BUFFERED_FROM && inHeartbeats <= BUFFERED_UP_TO) return { kind: "buffered", ms: lagMs };
  if (lagMs >= LATE_MS) return { kind: "late", ms: lagMs };
  return { kind: stream.isSustained ? "works" : "stalled" };
}

/**
 * Browsers do not say why a stream did not open, but an ordinary request to the same URL may show it.
 * @param {StreamMeasurement} stream
 * @returns {Finding}
 */
function diagnoseUnopened({ endedMs, refusal }) {
  const finding = refusal ? diagnoseRequest(refusal) : null;
  if (finding && finding.kind !== "works" && finding.kind !== "timeout") return finding;
  return { kind: endedMs === null ? "timeout" : "refused", status: null };
}

/**
 * @param {RequestMeasurement} measurement
 * @param {number | null} offsetMs
 * @param {IdleResult | null} idle
 * @returns {Finding}
 */
function diagnoseRequests({ requests }, offsetMs, idle) {
  for (const request of requests) {
    const finding = diagnoseRequest(request);
    if (finding.kind !== "works") return finding;
  }
  const ageMs = Math.max(...requests.map((request) => olderThanRequestMs(request, offsetMs)));
  if (ageMs > CACHED_MS) return { kind: "cached", ms: ageMs };
  return idle && idle.outcome !== "survived" ? { kind: "cut", ms: idle.ms } : { kind: "works" };
}

/**
 * @param {RequestResult} request
 * @returns {Finding}
 */
function diagnoseRequest({ outcome, waitMs, tookMs, status, contentType, isFromServer }) {
  const isCut = outcome === "failed" || GATEWAY_TIMEOUTS.includes(status ?? 0);
  if (waitMs > 0 && isCut) return { kind: "cut", ms: tookMs, status };
  if (waitMs > 0 && outcome === "timeout") return { kind: "poll-timeout" };
  if (outcome === "timeout") return { kind: "timeout", status: null };
  if (status === 503) return { kind: "busy", status };
  if (status === null || status >= 400) return { kind: "refused", status };
  return isFromServer ? { kind: "works" } : { kind: "intercepted", status, contentType };
}

/**
 * Returns the lag of the latest message.
 * @param {StreamMeasurement} stream
 * @param {number | null} offsetMs
 */
export function worstLagMs({ samples }, offsetMs) {
  const lags = samples.map(({ serverMs, receivedAt }) =>
    serverMs === null || offsetMs === null ? 0 : receivedAt + offsetMs - serverMs,
  );
  return Math.max(0, ...lags);
}

/**
 * Returns by how much a response is older than its request.
 * @param {RequestResult} request
 * @param {number | null} offsetMs
 */
function olderThanRequestMs({ sentAt, sample, precisionMs }, offsetMs) {
  if (offsetMs === null || sample?.serverMs == null) return 0;
  return sentAt + offsetMs - sample.serverMs - precisionMs;
}
