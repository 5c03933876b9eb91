// @ts-check
/** One probe for each way from this browser to the server. Each is bounded, and ends early when it is told to. */
import { ask, readHead, readPlain, readPoll, readState } from "./request-probe.js";
import { EchoSocket } from "./echo-socket.js";
import { watchStream } from "./stream-probe.js";
import { SseTransport } from "../transports/sse.js";
import { liveUrl } from "../transports/url.js";
import { WsTransport } from "../transports/websocket.js";

/** @typedef {import("../../state/doctor/measurement.js").Stream} Stream */
/** @typedef {import("../../state/doctor/measurement.js").Asking} Asking */
/** @typedef {import("../../state/doctor/measurement.js").Answer} Answer */

/**
 * What probes are given.
 * @typedef {object} Lab
 * @property {Pick<import("../open-connection.js").Browser, "WebSocket" | "EventSource" | "fetch">} browser
 * @property {import("../clock.js").Clock} clock
 * @property {import("../transports/url.js").Watch} watch  Of something that nothing happens to: all that comes is regular.
 * @property {string} since  Cursor from which there is nothing to catch up with.
 * @property {number} heartbeatMs
 * @property {AbortSignal} signal
 */

/** How often the way there and back is measured; the best counts. */
const ROUND_TRIPS = 3;

/** Between two questions of the same words: an answer that was kept is then old enough to be told from a new one. */
const ASK_AGAIN_MS = 3_000;

/** The longest that the server lets a poll wait. */
export const WAIT_LIMIT_MS = 25_000;

/**
 * @param {Lab} lab
 * @returns {Promise<Asking>}
 */
export async function probeRequest(lab) {
  const url = new URL("/healthz", lab.watch.origin).href;
  const answers = await inTurn(Array(ROUND_TRIPS).fill(() => ask(lab, { url, read: readPlain })));
  return { way: "http", answers };
}

/**
 * @param {Lab} lab
 * @returns {Promise<Stream>}
 */
export async function probeSocket(lab) {
  const parts = { WebSocket: lab.browser.WebSocket, watch: lab.watch, clock: lab.clock };
  const stream = await watchStream(lab, new WsTransport(parts));
  if (stream.isKept && !lab.signal.aborted) stream.roundTripMs = await measureEcho(lab);
  return stream;
}

/** @param {Lab} lab */
async function measureEcho(lab) {
  const socket = new EchoSocket(lab);
  let bestMs = null;
  if (await socket.opened()) {
    for (let round = 0; round < ROUND_TRIPS; round += 1) {
      const ms = await socket.ask();
      if (ms === null) break;
      bestMs = Math.min(bestMs ?? Infinity, ms);
    }
  }
  socket.close();
  return bestMs;
}

/**
 * @param {Lab} lab
 * @returns {Promise<Stream>}
 */
export async function probeEvents(lab) {
  const transport = new SseTransport({ EventSource: lab.browser.EventSource, watch: lab.watch });
  const stream = await watchStream(lab, transport);
  if (stream.openMs === null && !lab.signal.aborted) {
    const url = liveUrl(lab.watch, "/live/sse", lab.since);
    stream.refusal = await ask(lab, { url, read: readHead, headers: { accept: "text/event-stream" } });
  }
  return stream;
}

/**
 * As pages poll: a question that is answered at once, then one that waits for about a heartbeat. The first comes
 * again at the end, so that an answer that somebody kept shows.
 * @param {Lab} lab
 * @returns {Promise<Asking>}
 */
export async function probePoll(lab) {
  const seconds = Math.max(1, Math.floor(lab.heartbeatMs / 1000));
  const poll = (/** @type {number} */ waitMs) => () => {
    const url = liveUrl(lab.watch, "/live/poll", lab.since, { wait: waitMs / 1000 });
    return ask(lab, { url, read: readPoll, waitMs });
  };
  const waitMs = Math.min(WAIT_LIMIT_MS, seconds * 1000);
  return { way: "poll", answers: await inTurn([poll(0), poll(waitMs), later(lab, poll(0))]) };
}

/**
 * The board, and after a while whether it is still the same, as pages ask where nothing else gets through.
 * @param {Lab} lab
 * @returns {Promise<Asking>}
 */
export async function probeState(lab) {
  const url = liveUrl(lab.watch, "/live/state", "");
  /** @type {Record<string, string>} */
  const headers = {};
  const keepTag = (/** @type {Headers} */ head) => (headers["if-none-match"] = head.get("etag") ?? "");
  const first = () => ask(lab, { url, read: readState, onhead: keepTag });
  const again = () => ask(lab, { url, read: readState, headers });
  return { way: "short", answers: await inTurn([first, later(lab, again)]) };
}

/**
 * Asks one after the other, as long as the server answers.
 * @param {(() => Promise<Answer>)[]} questions
 */
async function inTurn(questions) {
  const answers = [];
  for (const question of questions) {
    const answer = await question();
    answers.push(answer);
    if (!answer.isOurs) break;
  }
  return answers;
}

/**
 * @param {Lab} lab
 * @param {() => Promise<Answer>} question
 * @returns {() => Promise<Answer>} The same, after a while.
 */
function later({ clock, signal }, question) {
  return () =>
    new Promise((resolve) => {
      const go = () => {
        cancel();
        signal.removeEventListener("abort", go);
        resolve(question());
      };
      const cancel = clock.after(ASK_AGAIN_MS, go);
      signal.addEventListener("abort", go);
    });
}
