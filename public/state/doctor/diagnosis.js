// @ts-check
/**
 * From what was measured of one way to what is wrong with it. Words are found elsewhere.
 *
 * A way is right only if all of it was seen: it opens, what is said arrives in time, and goes on arriving. What a
 * browser reports proves little: streams open and are held back, sockets open and are eaten.
 */
import { isStream } from "./measurement.js";

/** @typedef {import("./measurement.js").Measurement} Measurement */
/** @typedef {import("./measurement.js").Stream} Stream */
/** @typedef {import("./measurement.js").Asking} Asking */
/** @typedef {import("./measurement.js").Answer} Answer */
/** @typedef {import("./measurement.js").Quiet} Quiet */

/**
 * - `works`
 * - `refused`: it does not open, or is answered with an error
 * - `foreign`: something other than the server answers
 * - `unanswered`: neither let through nor refused
 * - `busy`, `stopping`: the server itself says so; this says nothing about the network
 * - `silent`: opens, and nothing comes
 * - `stalled`: the first message comes, and nothing more
 * - `held`: each message comes only with the next
 * - `late`: messages come, and too late
 * - `cut`: ended in the middle
 * - `unheard`: a question that waits is not answered, where one that does not wait is
 * - `cached`: the answer is older than the question
 * @typedef {"works" | "refused" | "foreign" | "unanswered" | "busy" | "stopping" | "silent" | "stalled" | "held"
 *   | "late" | "cut" | "unheard" | "cached"} Kind
 */

/**
 * @typedef {object} Finding
 * @property {Kind} kind
 * @property {number} [ms]  How late, how old, or after how long.
 * @property {number | null} [status]  Of HTTP, where there was one.
 * @property {string} [contentType]
 */

/** A message later than this is not live; pages leave the way that carries it. */
const LATE_MS = 3_000;

/** A message as late as this part of a heartbeat, more or less, waited for the heartbeat to push it on. */
const HELD_FROM = 0.7;
const HELD_UP_TO = 1.3;

/** An answer counts as made before its question only beyond this: clocks are read to the millisecond at both ends. */
const CACHED_MS = 500;

/** What a proxy answers in the server's place when it has waited long enough. */
const GATEWAY_TIMEOUTS = [502, 504];

/**
 * @param {Measurement} measurement
 * @param {number | null} offsetMs  The server's clock against this one.
 * @param {number} heartbeatMs
 * @param {Quiet | null} quiet  How it fared when it was left alone, where that is known.
 * @returns {Finding}
 */
export function diagnose(measurement, offsetMs, heartbeatMs, quiet) {
  if (!isStream(measurement)) return diagnoseAsking(measurement, offsetMs, quiet);
  const finding = diagnoseStream(measurement, offsetMs, heartbeatMs);
  // A socket that says nothing for a minute is no live connection, so what becomes of it does not count here.
  const isCut = finding.kind === "works" && measurement.way === "sse" && quiet !== null && quiet.outcome !== "survived";
  return isCut ? { kind: quiet.outcome === "ended" ? "cut" : "stalled", ms: quiet.ms } : finding;
}

/**
 * @param {Stream} stream
 * @param {number | null} offsetMs
 * @param {number} heartbeatMs
 * @returns {Finding}
 */
function diagnoseStream(stream, offsetMs, heartbeatMs) {
  const { openMs, firstMs, endedMs } = stream;
  if (openMs === null) return diagnoseClosed(stream);
  if (stream.isAsked) return { kind: "stopping" };
  if (endedMs !== null) return { kind: "cut", ms: endedMs - openMs };
  if (firstMs === null) return { kind: "silent" };
  // The first message is sent when it opens, so that much is known without any clock of the server's.
  const lagMs = Math.max(firstMs - openMs, worstLagMs(stream, offsetMs));
  const inHeartbeats = lagMs / heartbeatMs;
  if (inHeartbeats >= HELD_FROM && inHeartbeats <= HELD_UP_TO) return { kind: "held", ms: lagMs };
  if (lagMs >= LATE_MS) return { kind: "late", ms: lagMs };
  return { kind: stream.isKept ? "works" : "stalled" };
}

/**
 * One that never opened: browsers do not say why, and an ordinary request to the same address may.
 * @param {Stream} stream
 * @returns {Finding}
 */
function diagnoseClosed({ endedMs, refusal }) {
  const told = refusal ? diagnoseAnswer(refusal) : null;
  if (told && told.kind !== "works" && told.kind !== "unanswered") return told;
  return { kind: endedMs === null ? "unanswered" : "refused", status: null };
}

/**
 * @param {Asking} asking
 * @param {number | null} offsetMs
 * @param {Quiet | null} quiet
 * @returns {Finding}
 */
function diagnoseAsking({ answers }, offsetMs, quiet) {
  for (const answer of answers) {
    const finding = diagnoseAnswer(answer);
    if (finding.kind !== "works") return finding;
  }
  const ageMs = Math.max(...answers.map((answer) => madeBeforeMs(answer, offsetMs)));
  if (ageMs > CACHED_MS) return { kind: "cached", ms: ageMs };
  return quiet && quiet.outcome !== "survived" ? { kind: "cut", ms: quiet.ms } : { kind: "works" };
}

/**
 * @param {Answer} answer
 * @returns {Finding}
 */
function diagnoseAnswer({ outcome, waitMs, tookMs, status, contentType, isOurs }) {
  const isGone = outcome === "failed" || GATEWAY_TIMEOUTS.includes(status ?? 0);
  if (waitMs > 0 && isGone) return { kind: "cut", ms: tookMs, status };
  if (waitMs > 0 && outcome === "unanswered") return { kind: "unheard" };
  if (outcome === "unanswered") return { kind: "unanswered", status: null };
  if (status === 503) return { kind: "busy", status };
  if (status === null || status >= 400) return { kind: "refused", status };
  return isOurs ? { kind: "works" } : { kind: "foreign", status, contentType };
}

/**
 * How long after the server sent it the latest message came.
 * @param {Stream} stream
 * @param {number | null} offsetMs
 */
export function worstLagMs({ samples }, offsetMs) {
  const lags = samples.map(({ serverMs, receivedAt }) =>
    serverMs === null || offsetMs === null ? 0 : receivedAt + offsetMs - serverMs,
  );
  return Math.max(0, ...lags);
}

/**
 * By how much an answer is older than its question.
 * @param {Answer} answer
 * @param {number | null} offsetMs
 */
function madeBeforeMs({ askedAt, sample, precisionMs }, offsetMs) {
  if (offsetMs === null || sample?.serverMs == null) return 0;
  return askedAt + offsetMs - sample.serverMs - precisionMs;
}
