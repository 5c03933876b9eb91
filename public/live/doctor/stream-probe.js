// @ts-check
/**
 * Watches a transport from opening it until enough was seen of it: whether it opens, when its first message comes,
 * and whether more come after a heartbeat's time.
 */
import { parseTime } from "../../state/server-clock.js";
import { ignore } from "../transports/transport.js";

/** @typedef {import("../../state/doctor/measurement.js").Stream} Stream */
/** @typedef {import("../transports/transport.js").Transport} Transport */

/** Whatever has not opened by then is not going to. */
export const OPEN_LIMIT_MS = 10_000;

/** The server is silent for a heartbeat at most; what comes after this part of it is no remainder of the opening. */
const KEPT_AFTER = 0.7;

/** The longest silence that is still life: one and a half heartbeats, and a margin for a slow line. */
export const silenceLimitMs = (/** @type {number} */ heartbeatMs) => heartbeatMs * 1.5 + 2_000;

/**
 * @param {import("./probes.js").Lab} lab  Its signal ends this at once, with what was seen so far.
 * @param {Transport & { name: "ws" | "sse" }} transport  Closed when this is done.
 * @returns {Promise<Stream>}
 */
export function watchStream({ clock, since, heartbeatMs, signal }, transport) {
  return new Promise((resolve) => {
    const askedAt = clock.elapsed();
    const soFar = () => clock.elapsed() - askedAt;
    /** @type {Stream} */
    const stream = {
      way: transport.name,
      openMs: null,
      firstMs: null,
      endedMs: null,
      isAsked: false,
      isKept: false,
      samples: [],
      refusal: null,
      roundTripMs: null,
    };
    const finish = () => {
      cancelLimit();
      signal.removeEventListener("abort", finish);
      transport.onmessage = transport.onstate = ignore;
      transport.close();
      resolve(stream);
    };
    let cancelLimit = clock.after(OPEN_LIMIT_MS, finish);
    signal.addEventListener("abort", finish);

    const opened = () => {
      if (stream.openMs !== null) return;
      stream.openMs = soFar();
      cancelLimit();
      cancelLimit = clock.after(silenceLimitMs(heartbeatMs), finish);
    };
    transport.onstate = (state) => {
      if (state === "open") return opened();
      stream.endedMs = soFar();
      finish();
    };
    transport.onmessage = (message) => {
      opened();
      stream.firstMs ??= soFar();
      stream.samples.push({ serverMs: parseTime(message.server_time), receivedAt: clock.elapsed() });
      stream.isAsked = message.type === "bye";
      stream.isKept = soFar() - (stream.openMs ?? 0) >= heartbeatMs * KEPT_AFTER;
      if (stream.isKept || stream.isAsked) finish();
    };
    if (signal.aborted) finish();
    else transport.open(since);
  });
}
