// @ts-check
/** Turns the measurements so far into what the network doctor shows. */
import { spanText } from "../state/time-text.js";
import { diagnose, worstLagMs } from "./diagnosis.js";
import { adviceText, findingText, idleText } from "./diagnosis-text.js";
import { clockOffsetMs, isStream } from "./measurement.js";
/** @import { TransportName } from "../../petstore/transports/transport.js" */
/** @import { Site } from "./diagnosis-text.js" */
/** @import { Finding } from "./diagnosis.js" */
/** @import { IdleResult, Measurement, ProbeName, RequestMeasurement, StreamMeasurement } from "./measurement.js" */

/** Best first. */
const TRANSPORTS = /** @type {const} */ (["ws", "sse", "poll", "short"]);

/** In the order of the page. */
export const PROBES = /** @type {const} */ (["http", ...TRANSPORTS]);

/** @typedef {"works" | "delayed" | "blocked" | "unknown"} Verdict  Decides how a row looks. */

/**
 * @typedef {object} Row
 * @property {ProbeName} probe
 * @property {Verdict} verdict
 * @property {string} result
 * @property {string} measured
 * @property {string} idle
 */

/**
 * @typedef {object} Results
 * @property {Row[]} rows
 * @property {string} summary  What this means for readers of the pages; "" while it is not known.
 * @property {string[]} advice  What to ask operators for.
 */

/**
 * @param {object} known
 * @param {ReadonlyMap<ProbeName, Measurement>} known.measurements
 * @param {ReadonlyMap<ProbeName, IdleResult>} known.idleResults
 * @param {boolean} known.isRunning
 * @param {Site} site
 * @returns {Results}
 */
export function summarize({ measurements, idleResults, isRunning }, site) {
  const offsetMs = clockOffsetMs(measurements.values());
  /** @type {Map<ProbeName, Finding>} */
  const findings = new Map();
  for (const [probe, measurement] of measurements) {
    const idle = idleResults.get(probe) ?? null;
    findings.set(probe, diagnose(measurement, offsetMs, site.heartbeatMs, idle));
  }
  const all = [...findings.values()];
  // If the server is down or full, the network is not to blame, and no operator can help.
  const isServerDown = all.every(isNoResponse) || all.some(isOutage);
  const advice = PROBES.flatMap((probe) => {
    const finding = findings.get(probe);
    return (finding && adviceText(probe, finding, site)) || [];
  });
  return {
    rows: PROBES.map((probe) => {
      const idle = idleResults.get(probe);
      return {
        ...resultOf(findings.get(probe), isRunning),
        probe,
        measured: measuredText(measurements.get(probe), offsetMs),
        idle: idle ? idleText(idle, site) : "",
      };
    }),
    summary: PROBES.every((probe) => findings.has(probe)) ? summaryText(findings) : "",
    advice: isServerDown ? [] : advice,
  };
}

/**
 * @param {Finding | undefined} finding
 * @param {boolean} isRunning
 * @returns {{ verdict: Verdict, result: string }}
 */
function resultOf(finding, isRunning) {
  if (!finding) return { verdict: "unknown", result: isRunning ? "Testing…" : "Not finished." };
  /** @type {Partial<Record<Finding["kind"], Verdict>>} */
  const verdicts = { works: "works", buffered: "delayed", late: "delayed", busy: "unknown", stopping: "unknown" };
  return { verdict: verdicts[finding.kind] ?? "blocked", result: findingText(finding) };
}

/** Returns true if the server itself says that it cannot serve. @param {Finding} finding */
function isOutage({ kind }) {
  return kind === "busy" || kind === "stopping";
}

/** Returns true if nothing responded, or only a proxy that could not reach the server. @param {Finding} finding */
function isNoResponse({ kind, status = null }) {
  return kind === "timeout" || (kind === "refused" && (status === null || status > 500));
}

const SUMMARIES = {
  gone: "The server does not respond: it is stopped, or this computer is offline.",
  stopping: "The server is restarting. Please try again in a minute.",
  busy: "The server is full right now. Please try again in a minute.",
  all: "Everything gets through. Pages are live over WebSocket.",
  ws: "Pages are live over WebSocket. What is blocked matters only if WebSocket stops working.",
  sse: "Pages are live over Server-Sent Events. WebSocket is blocked, which makes no difference to readers.",
  poll: "This network blocks live updates. Pages check for changes instead, and show them with a short delay.",
  short: "This network blocks live updates and requests that wait. Pages check every few seconds instead.",
  none: "No live updates get through. Pages show what was true when they were loaded; reload them for the latest.",
};

/**
 * @param {ReadonlyMap<ProbeName, Finding>} findings
 * @returns {string}
 */
function summaryText(findings) {
  const all = [...findings.values()];
  const best = TRANSPORTS.find((transport) => findings.get(transport)?.kind === "works");
  if (all.every(isNoResponse)) return SUMMARIES.gone;
  if (all.every(({ kind }) => kind === "works")) return SUMMARIES.all;
  const outage = all.find(isOutage);
  if (outage && best !== "ws") return outage.kind === "busy" ? SUMMARIES.busy : SUMMARIES.stopping;
  return SUMMARIES[best ?? "none"];
}

/** @param {Measurement | undefined} measurement @param {number | null} offsetMs */
function measuredText(measurement, offsetMs) {
  if (!measurement) return "";
  const parts = isStream(measurement) ? streamParts(measurement, offsetMs) : requestParts(measurement);
  return parts.join(" · ");
}

/** @param {StreamMeasurement} stream @param {number | null} offsetMs */
function streamParts(stream, offsetMs) {
  const { openMs, firstMs, endedMs, roundTripMs, samples } = stream;
  const parts = [];
  if (openMs !== null) parts.push(`open after ${spanText(openMs)}`);
  if (firstMs !== null) parts.push(`first message after ${spanText(firstMs)}`);
  if (samples.length > 0) parts.push(`at most ${spanText(worstLagMs(stream, offsetMs))} late`);
  if (endedMs !== null) parts.push(`ended after ${spanText(endedMs)}`);
  if (roundTripMs !== null) parts.push(`round trip ${spanText(roundTripMs)}`);
  return parts;
}

/** @param {RequestMeasurement} measurement */
function requestParts({ requests }) {
  const answered = requests.filter(({ outcome }) => outcome === "answered");
  const quick = answered.filter(({ waitMs }) => waitMs === 0).map(({ tookMs }) => tookMs);
  const waited = answered.filter(({ waitMs }) => waitMs > 0).map(({ tookMs }) => tookMs);
  const parts = [];
  if (quick.length > 0) parts.push(`round trip ${spanText(Math.min(...quick))}`);
  if (waited.length > 0) parts.push(`waited ${spanText(Math.max(...waited))} for a response`);
  return parts;
}
