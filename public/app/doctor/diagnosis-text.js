// @ts-check
/** The texts of a diagnosis: findings for visitors, and advice for operators of networks and proxies. */
import { TRANSPORT_NAMES } from "../state/connection-status.js";
import { spanText } from "../state/time-text.js";
/** @import { Finding } from "./diagnosis.js" */
/** @import { IdleResult, ProbeName } from "./measurement.js" */

/**
 * @typedef {object} Site
 * @property {string} url  E.g. `https://rescue.example`.
 * @property {number} heartbeatMs
 */

/** @type {Record<ProbeName, string>} */
export const PROBE_NAMES = { http: "Ordinary request", ...TRANSPORT_NAMES };

/** @type {Record<ProbeName, string>} */
const PATHS = { http: "/healthz", ws: "/live/ws", sse: "/live/sse", poll: "/live/poll", short: "/live/poll" };

/**
 * @param {Finding} finding
 * @returns {string} A sentence, e.g. "Blocked: refused with HTTP 403."
 */
export function findingText({ kind, ms = 0, status = null, contentType = "" }) {
  const http = status === null ? "" : ` with HTTP ${status}`;
  switch (kind) {
    case "works":
      return "Works.";
    case "refused":
      return `Blocked: refused${http}.`;
    case "intercepted":
      return `Blocked: something else responds instead of this site (HTTP ${status}, ${contentType || "no type"}).`;
    case "timeout":
      return "Blocked: no response.";
    case "busy":
      return "The server is full right now. Please try again in a minute.";
    case "stopping":
      return "The server is restarting. Please try again in a minute.";
    case "silent":
      return "Blocked: it opens, but no message arrives.";
    case "stalled":
      return "Blocked: only the first message arrives.";
    case "buffered":
      return `Delayed: each message is held back until the next one is sent, here for ${spanText(ms)}.`;
    case "late":
      return `Delayed: messages arrive ${spanText(ms)} late.`;
    case "cut":
      return `Blocked: cut off after ${spanText(ms)}${http}.`;
    case "poll-timeout":
      return "Blocked: requests that wait get no response.";
    case "cached":
      return `Blocked: a cached response comes back, ${spanText(ms)} older than the request.`;
  }
}

/**
 * Returns what to ask an operator for, so that this connection type works.
 * @param {ProbeName} probe
 * @param {Finding} finding
 * @param {Site} site
 * @returns {string} "" if nothing on the network is at fault.
 */
export function adviceText(probe, { kind }, site) {
  if (kind === "works" || kind === "busy" || kind === "stopping" || probe === "http") return "";
  const { host } = new URL(site.url);
  const url = site.url + PATHS[probe];
  if (kind === "intercepted") {
    return `Please let requests to ${url} through to this site: a login page or a filter responds instead.`;
  }
  if (probe === "ws") return webSocketAdvice(kind, host, site);
  if (probe === "sse") return sseAdvice(kind, host, site);
  if (kind === "cached") {
    return (
      `Please don't cache responses below ${site.url}/live/: they are sent with Cache-Control: no-store or ` +
      "no-cache, and each request has to reach the server."
    );
  }
  if (kind === "cut" || kind === "poll-timeout") {
    return `Please let requests to ${url} wait up to 30 s for their response: set a read timeout of 60 s or more.`;
  }
  return `Please allow GET requests to ${url}.`;
}

/** @param {Finding["kind"]} kind @param {string} host @param {Site} site */
function webSocketAdvice(kind, host, site) {
  switch (kind) {
    case "refused":
    case "timeout":
      return (
        `Please allow WebSocket upgrades (HTTP 101) to ${host}: pass "Connection: Upgrade" and "Upgrade: websocket" ` +
        "on to /live/ws, and the 101 response back."
      );
    case "cut":
      return `Please don't cut WebSocket connections to ${host}: they stay open for many minutes. ${timeoutAdvice(site)}`;
    default:
      return (
        `Please pass WebSocket frames from ${host} on immediately and unchanged. Something accepts the connection and ` +
        "holds its messages back, such as a web filter or an antivirus program that inspects traffic: please exempt " +
        `${host} from it.`
      );
  }
}

/** @param {Finding["kind"]} kind @param {string} host @param {Site} site */
function sseAdvice(kind, host, site) {
  const responses = `responses of type text/event-stream from ${host}`;
  switch (kind) {
    case "refused":
      return (
        `Please allow GET requests to ${site.url}/live/sse, whose response of type text/event-stream does not end.`
      );
    case "cut":
      return `Please don't cut ${responses}: they last for many minutes. ${timeoutAdvice(site)}`;
    case "buffered":
    case "late":
      return (
        `Please don't hold back ${responses}. Antivirus programs that scan web traffic do this: please exempt ${host} ` +
        "from it."
      );
    default:
      return (
        `Please don't buffer ${responses}: pass each piece on immediately and uncompressed (nginx: proxy_buffering off).`
      );
  }
}

/** @param {Site} site */
function timeoutAdvice({ heartbeatMs }) {
  return `The server sends something at least every ${spanText(heartbeatMs)}, so an idle timeout of 60 s is enough.`;
}

/** @param {IdleResult} idle @param {Site} site */
export function idleText({ probe, ms, outcome }, { heartbeatMs }) {
  const span = spanText(ms);
  if (outcome === "survived") return probe === "poll" ? `Still answered after ${span}.` : `Still open after ${span}.`;
  if (outcome === "dead") return `Dead after ${span}, although it looks open.`;
  // The tested socket carries no heartbeats; a live one gets one before this time is over.
  const isHarmless = probe === "ws" && ms > heartbeatMs * 2;
  return isHarmless
    ? `Closed after ${span} without traffic; heartbeats keep live connections open.`
    : `Closed after ${span}.`;
}
