// @ts-check
/**
 * A finding in plain words, and what to ask whoever runs the network for. The first is for visitors, the second for
 * people who set up proxies.
 */
import { spanText } from "../time-text.js";

/** @typedef {import("./measurement.js").Way} Way */
/** @typedef {import("./measurement.js").Rung} Rung */
/** @typedef {import("./diagnosis.js").Finding} Finding */

/**
 * What the words need to know of the site.
 * @typedef {object} Facts
 * @property {string} origin  e.g. `https://rescue.example`
 * @property {number} heartbeatMs
 */

/** @type {Record<Way, string>} */
export const WAY_NAMES = {
  http: "Ordinary request",
  ws: "WebSocket",
  sse: "Server-Sent Events",
  poll: "Long poll",
  short: "Short poll",
};

/** @type {Record<Way, string>} */
const PATHS = { http: "/healthz", ws: "/live/ws", sse: "/live/sse", poll: "/live/poll", short: "/live/state" };

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
    case "foreign":
      return `Blocked: something else answers in the site's place (HTTP ${status}, ${contentType || "no type"}).`;
    case "unanswered":
      return "Blocked: no answer, not even a refusal.";
    case "busy":
      return "The server has no place free right now. Please try again in a minute.";
    case "stopping":
      return "The server is being stopped or restarted. Please try again in a minute.";
    case "silent":
      return "Blocked: it opens, and then nothing comes through.";
    case "stalled":
      return "Blocked: it begins, and then nothing more comes through.";
    case "held":
      return `Delayed: each message is held back until the next one comes, here for ${spanText(ms)}.`;
    case "late":
      return `Delayed: messages come ${spanText(ms)} late.`;
    case "cut":
      return `Blocked: cut off after ${spanText(ms)}${http}.`;
    case "unheard":
      return "Blocked: a question that waits is not answered.";
    case "cached":
      return `Blocked: an old answer comes back, ${spanText(ms)} older than the question.`;
  }
}

/**
 * What to ask for, so that this way works.
 * @param {Way} way
 * @param {Finding} finding
 * @param {Facts} facts
 * @returns {string} "" where nothing on the way is at fault.
 */
export function askText(way, { kind }, facts) {
  if (kind === "works" || kind === "busy" || kind === "stopping" || way === "http") return "";
  const { host } = new URL(facts.origin);
  const address = facts.origin + PATHS[way];
  if (kind === "foreign") {
    return `Please let ${address} through to the site: a login page or a filter answers in its place.`;
  }
  if (way === "ws") return askForSocket(kind, host, facts);
  if (way === "sse") return askForStream(kind, host, facts);
  if (kind === "cached") {
    return (
      `Please do not keep answers from below ${facts.origin}/live/: they say Cache-Control: no-store or no-cache, ` +
      "and each request has to reach the server."
    );
  }
  if (kind === "cut" || kind === "unheard") {
    return `Please let a request to ${address} wait up to 30 s for its answer: a read timeout of 60 s or more.`;
  }
  return `Please allow GET requests to ${address}.`;
}

/**
 * @param {Finding["kind"]} kind
 * @param {string} host
 * @param {Facts} facts
 */
function askForSocket(kind, host, facts) {
  switch (kind) {
    case "refused":
    case "unanswered":
      return (
        `Please allow WebSocket upgrade (HTTP 101) to ${host}: pass "Connection: Upgrade" and "Upgrade: websocket" ` +
        "on to /live/ws, and the answer 101 back."
      );
    case "cut":
      return (
        `Please do not cut WebSocket connections to ${host}: they stay open for many minutes. ` +
        idleText(facts)
      );
    default:
      return (
        `Please pass WebSocket frames from ${host} on at once and unchanged. Something accepts the connection and ` +
        "keeps what is sent over it, such as a web filter or an antivirus program that inspects traffic: please " +
        `exempt ${host} from it.`
      );
  }
}

/**
 * @param {Finding["kind"]} kind
 * @param {string} host
 * @param {Facts} facts
 */
function askForStream(kind, host, facts) {
  switch (kind) {
    case "refused":
      return (
        `Please allow GET requests to ${facts.origin}/live/sse, ` +
        "whose answer of type text/event-stream does not end."
      );
    case "cut":
      return (
        `Please do not cut responses of type text/event-stream from ${host}: they go on for many minutes. ` +
        idleText(facts)
      );
    case "held":
    case "late":
      return (
        `Please do not hold back responses of type text/event-stream from ${host}. Antivirus programs that scan web ` +
        `traffic do this: please exempt ${host} from it.`
      );
    default:
      return (
        `Please do not buffer responses of type text/event-stream from ${host}: pass every piece on as it comes, ` +
        "uncompressed (nginx: proxy_buffering off)."
      );
  }
}

/** @param {Facts} facts */
function idleText({ heartbeatMs }) {
  return `Something comes at least every ${spanText(heartbeatMs)}, so an idle timeout of 60 s is enough.`;
}

/**
 * How a connection fared that was left alone.
 * @param {import("./measurement.js").Quiet} quiet
 * @param {Facts} facts
 */
export function quietText({ way, ms, outcome }, { heartbeatMs }) {
  const span = spanText(ms);
  if (outcome === "survived") return way === "poll" ? `Still answered after ${span}.` : `Still open after ${span}.`;
  if (outcome === "dead") return `Dead after ${span}, though it looks open.`;
  // The test's own socket says nothing at all; a live one hears a heartbeat before anybody loses patience.
  const isHarmless = way === "ws" && ms > heartbeatMs * 2;
  return isHarmless ? `Closed after ${span} without a word; heartbeats keep live ones open.` : `Closed after ${span}.`;
}
