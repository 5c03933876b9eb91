// @ts-check
/**
 * Leaves a connection idle for a minute and reports what became of it: many proxies, firewalls and routers drop connections
 * that are idle for 30 or 60 seconds.
 */
import { silenceLimit } from "../../petstore/connection/liveness.js";
import { SseTransport } from "../../petstore/transports/sse.js";
import { liveUrl } from "../../petstore/transports/url.js";
import { EchoSocket } from "./echo-socket.js";
import { WAIT_LIMIT_MS } from "./probes.js";
import { readPoll, sendRequest } from "./request-probe.js";
/** @import { IdleResult } from "./measurement.js" */
/** @import { ProbeContext } from "./probes.js" */

/** More than the minute after which most of them act. */
export const IDLE_MS = 65_000;

/**
 * Tests a socket without any traffic, with one message at the end.
 * @param {ProbeContext} context
 * @returns {Promise<IdleResult | null>} Null if the server's echo cannot be reached, which makes the test impossible.
 */
export async function testIdleWebSocket(context) {
  const { clock } = context;
  const socket = new EchoSocket(context);
  /** @type {IdleResult | null} */
  let result = null;
  if (await socket.opened()) {
    const startedAt = clock.elapsed();
    if (!(await survives(context, (end) => (socket.onend = end)))) {
      result = { probe: "ws", ms: clock.elapsed() - startedAt, outcome: "ended" };
    } else {
      const isAlive = (await socket.ping()) !== null;
      result = { probe: "ws", ms: IDLE_MS, outcome: isAlive ? "survived" : "dead" };
    }
  }
  socket.close();
  return result;
}

/**
 * Tests a stream that carries only heartbeats.
 * @param {ProbeContext} context
 * @returns {Promise<IdleResult | null>} Null if the server ended the stream, which says nothing about the network.
 */
export async function testIdleSse(context) {
  const { clock } = context;
  const transport = new SseTransport({ EventSource: context.browser.EventSource, watch: context.watch });
  const startedAt = clock.elapsed();
  let receivedAt = startedAt;
  let isServerEnd = false;
  transport.onmessage = ({ type }) => {
    receivedAt = clock.elapsed();
    isServerEnd = type === "bye";
  };
  const hasSurvived = await survives(context, (end) => {
    transport.onstate = (state) => state === "closed" && end();
    transport.open(context.since);
  });
  transport.close();
  if (isServerEnd) return null;
  if (!hasSurvived) return { probe: "sse", ms: clock.elapsed() - startedAt, outcome: "ended" };
  const isDead = clock.elapsed() - receivedAt > silenceLimit(context.heartbeatMs);
  return isDead
    ? { probe: "sse", ms: receivedAt - startedAt, outcome: "dead" }
    : { probe: "sse", ms: IDLE_MS, outcome: "survived" };
}

/**
 * Tests consecutive polls, each as long as the server lets it wait.
 * @param {ProbeContext} context
 * @returns {Promise<IdleResult>}
 */
export async function testIdlePoll(context) {
  const { clock, watch, since } = context;
  const until = clock.elapsed() + IDLE_MS;
  for (;;) {
    const waitMs = Math.min(WAIT_LIMIT_MS, until - clock.elapsed());
    if (waitMs <= 0) return { probe: "poll", ms: IDLE_MS, outcome: "survived" };
    const url = liveUrl(watch, "/live/poll", since, { wait: waitMs / 1000 });
    const { isFromServer, outcome, tookMs } = await sendRequest(context, { url, read: readPoll, waitMs });
    if (!isFromServer) return { probe: "poll", ms: tookMs, outcome: outcome === "timeout" ? "dead" : "ended" };
  }
}

/**
 * @param {ProbeContext} context
 * @param {(end: () => void) => void} listen  Receives a function to call when the connection ends early.
 * @returns {Promise<boolean>} True if it survived the whole time.
 */
function survives({ clock, signal }, listen) {
  return new Promise((resolve) => {
    const end = () => settle(false);
    const cancel = clock.after(IDLE_MS, () => settle(true));
    const settle = (/** @type {boolean} */ hasSurvived) => {
      cancel();
      signal.removeEventListener("abort", end);
      resolve(hasSurvived);
    };
    signal.addEventListener("abort", end);
    listen(end);
  });
}
