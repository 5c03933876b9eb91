// @ts-check
/**
 * Observes a stream until enough was seen: whether it opens, when the first message arrives, and whether messages still
 * arrive after a heartbeat's time.
 */
import { silenceLimit } from "../../petstore/connection/liveness.js";
import { parseTime } from "../../petstore/connection/server-clock.js";
import { noop } from "../../petstore/transports/transport.js";
/** @import { StreamMeasurement } from "./measurement.js" */
/** @import { Transport } from "../../petstore/transports/transport.js" */
/** @import { ProbeContext } from "./probes.js" */

/** Time limit for opening a stream. */
export const OPEN_LIMIT_MS = 10_000;

/** A message after this share of a heartbeat does not belong to the opening any more. */
const SUSTAINED_AFTER = 0.7;

/**
 * @param {ProbeContext} context  Its signal ends the probe, with what was seen so far.
 * @param {Transport & { name: "ws" | "sse" }} transport  Closed at the end.
 * @returns {Promise<StreamMeasurement>}
 */
export function probeStream({ clock, since, heartbeatMs, signal }, transport) {
  return new Promise((resolve) => {
    const startedAt = clock.elapsed();
    const elapsedMs = () => clock.elapsed() - startedAt;
    /** @type {StreamMeasurement} */
    const stream = {
      probe: transport.name,
      openMs: null,
      firstMs: null,
      endedMs: null,
      isServerEnd: false,
      isSustained: false,
      samples: [],
      refusal: null,
      roundTripMs: null,
    };
    const finish = () => {
      cancelLimit();
      signal.removeEventListener("abort", finish);
      transport.onmessage = transport.onstate = noop;
      transport.close();
      resolve(stream);
    };
    let cancelLimit = clock.after(OPEN_LIMIT_MS, finish);
    signal.addEventListener("abort", finish);

    const opened = () => {
      if (stream.openMs !== null) return;
      stream.openMs = elapsedMs();
      cancelLimit();
      cancelLimit = clock.after(silenceLimit(heartbeatMs), finish);
    };
    transport.onstate = (state) => {
      if (state === "open") return opened();
      stream.endedMs = elapsedMs();
      finish();
    };
    transport.onmessage = (message) => {
      opened();
      stream.firstMs ??= elapsedMs();
      stream.samples.push({ serverMs: parseTime(message.server_time), receivedAt: clock.elapsed() });
      stream.isServerEnd = message.type === "bye";
      stream.isSustained = elapsedMs() - (stream.openMs ?? 0) >= heartbeatMs * SUSTAINED_AFTER;
      if (stream.isSustained || stream.isServerEnd) finish();
    };
    if (signal.aborted) finish();
    else transport.open(since);
  });
}
