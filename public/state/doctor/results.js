// @ts-check
/**
 * What the network doctor shows, worked out anew from everything that was measured so far.
 */
import { diagnose, worstLagMs } from "./diagnosis.js";
import { askText, findingText, quietText } from "./diagnosis-text.js";
import { clockOffsetMs, isStream } from "./measurement.js";
import { spanText } from "../time-text.js";

/** @typedef {import("./measurement.js").Way} Way */
/** @typedef {import("./measurement.js").Rung} Rung */
/** @typedef {import("./measurement.js").Measurement} Measurement */
/** @typedef {import("./measurement.js").Quiet} Quiet */
/** @typedef {import("./diagnosis.js").Finding} Finding */
/** @typedef {import("./diagnosis-text.js").Facts} Facts */

/** The best first. */
const RUNGS = /** @type {const} */ (["ws", "sse", "poll", "short"]);

/** In the order in which they are shown. */
export const WAYS = /** @type {const} */ (["http", ...RUNGS]);

/** @typedef {"works" | "delayed" | "blocked" | "unknown"} Verdict  How a row looks. */

/**
 * @typedef {object} Row
 * @property {Way} way
 * @property {Verdict} verdict
 * @property {string} result
 * @property {string} measured
 * @property {string} quiet
 */

/**
 * @typedef {object} Examination
 * @property {Row[]} rows
 * @property {string} summary  What it all means for who reads the pages; "" while that is open.
 * @property {string[]} asks
 */

/**
 * @param {object} known
 * @param {ReadonlyMap<Way, Measurement>} known.measurements
 * @param {ReadonlyMap<Rung, Quiet>} known.quiets
 * @param {boolean} known.isRunning  More may come.
 * @param {Facts} facts
 * @returns {Examination}
 */
export function examine({ measurements, quiets, isRunning }, facts) {
  const offsetMs = clockOffsetMs(measurements.values());
  /** @type {Map<Way, Finding>} */
  const findings = new Map();
  for (const [way, measurement] of measurements) {
    const quiet = quiets.get(/** @type {Rung} */ (way)) ?? null;
    findings.set(way, diagnose(measurement, offsetMs, facts.heartbeatMs, quiet));
  }
  const all = [...findings.values()];
  // A server without a place refuses a socket just as a network does: nobody on the way can be asked for anything.
  const isServersOwn = all.every(isNoAnswer) || all.some(isOutage);
  const asks = WAYS.flatMap((way) => {
    const finding = findings.get(way);
    return (finding && askText(way, finding, facts)) || [];
  });
  return {
    rows: WAYS.map((way) => {
      const quiet = quiets.get(/** @type {Rung} */ (way));
      return {
        ...resultOf(findings.get(way), isRunning),
        way,
        measured: measuredText(measurements.get(way), offsetMs),
        quiet: quiet ? quietText(quiet, facts) : "",
      };
    }),
    summary: WAYS.every((way) => findings.has(way)) ? summaryText(findings) : "",
    asks: isServersOwn ? [] : asks,
  };
}

/**
 * @param {Finding | undefined} finding
 * @param {boolean} isRunning
 * @returns {{ verdict: Verdict, result: string }}
 */
function resultOf(finding, isRunning) {
  if (!finding) return { verdict: "unknown", result: isRunning ? "Trying…" : "Not tried to the end." };
  /** @type {Partial<Record<Finding["kind"], Verdict>>} */
  const verdicts = { works: "works", held: "delayed", late: "delayed", busy: "unknown", stopping: "unknown" };
  return { verdict: verdicts[finding.kind] ?? "blocked", result: findingText(finding) };
}

/** @param {Finding} finding  The server says itself that it cannot. */
function isOutage({ kind }) {
  return kind === "busy" || kind === "stopping";
}

/** @param {Finding} finding  Nobody spoke, or a proxy that could not reach the server: HTTP 502, 504, 52x. */
function isNoAnswer({ kind, status = null }) {
  return kind === "unanswered" || (kind === "refused" && (status === null || status > 500));
}

/** What the pages do on such a network, and what their readers notice. */
const SUMMARIES = {
  gone: "The server does not answer at all: it is stopped, or this computer has no network.",
  stopping: "The server is being stopped or restarted. Please try again in a minute.",
  busy: "The server has no place free right now. Please try again in a minute.",
  all: "Everything gets through. Pages are live over WebSocket.",
  ws: "Pages are live over WebSocket. What does not get through matters only if that should stop working.",
  sse: "Pages are live over Server-Sent Events. WebSocket does not get through, which nobody will notice.",
  poll: "This network holds back live messages. Pages ask again and again instead, and show changes a moment later.",
  short: "This network holds back whatever waits. Pages ask every few seconds instead, and are that much later.",
  none: "Nothing live gets through here. Pages show what was true when they were loaded; reload them to see newer.",
};

/**
 * @param {ReadonlyMap<Way, Finding>} findings
 * @returns {string}
 */
function summaryText(findings) {
  const all = [...findings.values()];
  const best = RUNGS.find((rung) => findings.get(rung)?.kind === "works");
  if (all.every(isNoAnswer)) return SUMMARIES.gone;
  if (all.every(({ kind }) => kind === "works")) return SUMMARIES.all;
  const outage = all.find(isOutage);
  if (outage && best !== "ws") return outage.kind === "busy" ? SUMMARIES.busy : SUMMARIES.stopping;
  return SUMMARIES[best ?? "none"];
}

/**
 * @param {Measurement | undefined} measurement
 * @param {number | null} offsetMs
 */
function measuredText(measurement, offsetMs) {
  if (!measurement) return "";
  const parts = isStream(measurement) ? streamParts(measurement, offsetMs) : askingParts(measurement);
  return parts.join(" · ");
}

/**
 * @param {import("./measurement.js").Stream} stream
 * @param {number | null} offsetMs
 */
function streamParts(stream, offsetMs) {
  const { openMs, firstMs, endedMs, roundTripMs, samples } = stream;
  const parts = [];
  if (openMs !== null) parts.push(`open after ${spanText(openMs)}`);
  if (firstMs !== null) parts.push(`first message after ${spanText(firstMs)}`);
  if (samples.length > 0) parts.push(`at most ${spanText(worstLagMs(stream, offsetMs))} late`);
  if (endedMs !== null) parts.push(`ended after ${spanText(endedMs)}`);
  if (roundTripMs !== null) parts.push(`there and back in ${spanText(roundTripMs)}`);
  return parts;
}

/** @param {import("./measurement.js").Asking} asking */
function askingParts({ answers }) {
  const answered = answers.filter(({ outcome }) => outcome === "answered");
  const quick = answered.filter(({ waitMs }) => waitMs === 0).map(({ tookMs }) => tookMs);
  const waited = answered.filter(({ waitMs }) => waitMs > 0).map(({ tookMs }) => tookMs);
  const parts = [];
  if (quick.length > 0) parts.push(`there and back in ${spanText(Math.min(...quick))}`);
  if (waited.length > 0) parts.push(`waited ${spanText(Math.max(...waited))} for an answer`);
  return parts;
}
