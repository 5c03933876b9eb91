// @ts-check
/**
 * Leaves a connection alone for a good minute and says what became of it: many things on the way close, or forget,
 * whatever is quiet for 30 or 60 seconds.
 */
import { ask, readPoll } from "./request-probe.js";
import { EchoSocket } from "./echo-socket.js";
import { WAIT_LIMIT_MS } from "./probes.js";
import { silenceLimitMs } from "./stream-probe.js";
import { SseTransport } from "../transports/sse.js";
import { liveUrl } from "../transports/url.js";

/** @typedef {import("./probes.js").Lab} Lab */
/** @typedef {import("../../state/doctor/measurement.js").Quiet} Quiet */

/** Beyond the minute after which most of them act. */
export const QUIET_MS = 65_000;

/**
 * A socket on which neither side says a word, until it is spoken to at the end.
 * @param {Lab} lab
 * @returns {Promise<Quiet | null>} Null when the server's echo is out of reach, so that nothing can be said.
 */
export async function leaveSocketAlone(lab) {
  const { clock } = lab;
  const socket = new EchoSocket(lab);
  if (!(await socket.opened())) return close(socket, null);
  const from = clock.elapsed();
  if (!(await lasts(lab, (end) => (socket.onend = end)))) {
    return close(socket, { way: "ws", ms: clock.elapsed() - from, outcome: "ended" });
  }
  const isAlive = (await socket.ask()) !== null;
  return close(socket, { way: "ws", ms: QUIET_MS, outcome: isAlive ? "survived" : "dead" });
}

/**
 * A stream on which the browser says nothing, and the server a heartbeat now and then.
 * @param {Lab} lab
 * @returns {Promise<Quiet | null>} Null when the server itself ended it, which says nothing about the network.
 */
export async function leaveEventsAlone(lab) {
  const { clock } = lab;
  const transport = new SseTransport({ EventSource: lab.browser.EventSource, watch: lab.watch });
  const from = clock.elapsed();
  let heardAt = from;
  let isAsked = false;
  transport.onmessage = ({ type }) => {
    heardAt = clock.elapsed();
    isAsked = type === "bye";
  };
  const hasLasted = await lasts(lab, (end) => {
    transport.onstate = (state) => state === "closed" && end();
    transport.open(lab.since);
  });
  if (isAsked) return close(transport, null);
  if (!hasLasted) return close(transport, { way: "sse", ms: clock.elapsed() - from, outcome: "ended" });
  if (clock.elapsed() - heardAt > silenceLimitMs(lab.heartbeatMs)) {
    return close(transport, { way: "sse", ms: heardAt - from, outcome: "dead" });
  }
  return close(transport, { way: "sse", ms: QUIET_MS, outcome: "survived" });
}

/**
 * One poll after the other, each as long as the server lets it wait.
 * @param {Lab} lab
 * @returns {Promise<Quiet>}
 */
export async function leavePollAlone(lab) {
  const { clock, watch, since } = lab;
  const until = clock.elapsed() + QUIET_MS;
  for (;;) {
    const waitMs = Math.min(WAIT_LIMIT_MS, until - clock.elapsed());
    if (waitMs <= 0) return { way: "poll", ms: QUIET_MS, outcome: "survived" };
    const url = liveUrl(watch, "/live/poll", since, { wait: waitMs / 1000 });
    const { isOurs, outcome, tookMs } = await ask(lab, { url, read: readPoll, waitMs });
    if (!isOurs) return { way: "poll", ms: tookMs, outcome: outcome === "unanswered" ? "dead" : "ended" };
  }
}

/**
 * @template T
 * @param {{ close(): void }} connection
 * @param {T} result
 */
function close(connection, result) {
  connection.close();
  return result;
}

/**
 * @param {Lab} lab
 * @param {(end: () => void) => void} listen  Is given what to call when it ends early.
 * @returns {Promise<boolean>} Whether it lasted all the time.
 */
function lasts({ clock, signal }, listen) {
  return new Promise((resolve) => {
    const end = () => settle(false);
    const cancel = clock.after(QUIET_MS, () => settle(true));
    const settle = (/** @type {boolean} */ hasLasted) => {
      cancel();
      signal.removeEventListener("abort", end);
      resolve(hasLasted);
    };
    signal.addEventListener("abort", end);
    listen(end);
  });
}
