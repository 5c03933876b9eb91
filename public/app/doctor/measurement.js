// @ts-check
/**
 * The measurements of the network doctor, and the estimated difference between the server's clock and this one.
 *
 * Names that end in `At` are times in milliseconds by a monotonic clock of this browser.
 */

/** @import { TransportName } from "../../petstore/transports/transport.js" */

/** @typedef {"http" | TransportName} ProbeName  `http` is an ordinary request, without live messages. */

/**
 * @typedef {object} Sample  One message or response of the server.
 * @property {number | null} serverMs  When it was sent, by the server's clock since 1970; null if it does not say.
 * @property {number} receivedAt
 */

/**
 * A stream, from opening it until enough was seen.
 * @typedef {object} StreamMeasurement
 * @property {"ws" | "sse"} probe
 * @property {number | null} openMs  Until it opened; null if it never did.
 * @property {number | null} firstMs  Until the first message.
 * @property {number | null} endedMs  Until it ended, other than by this page; null if it did not.
 * @property {boolean} isServerEnd  The server ended it with a `bye`.
 * @property {boolean} isSustained  A message arrived after a heartbeat's time.
 * @property {Sample[]} samples
 * @property {RequestResult | null} refusal  Result of an ordinary request to the same URL, if it did not open.
 * @property {number | null} roundTripMs  Over a connection of the same type.
 */

/**
 * @typedef {object} RequestResult
 * @property {number} sentAt
 * @property {number} waitMs  How long the server was asked to wait before it responds.
 * @property {number} tookMs
 * @property {"answered" | "failed" | "timeout"} outcome
 * @property {number | null} status
 * @property {string} contentType
 * @property {boolean} isFromServer  The response has the form of the server's own.
 * @property {Sample | null} sample  The newest in the response.
 * @property {number} precisionMs  By how much its `serverMs` may be too early.
 */

/**
 * Consecutive requests; the last one is the first that went wrong, if any did.
 * @typedef {object} RequestMeasurement
 * @property {"http" | "poll" | "short"} probe
 * @property {RequestResult[]} requests
 */

/** @typedef {StreamMeasurement | RequestMeasurement} Measurement */

/**
 * The outcome of the test of an idle connection.
 * @typedef {object} IdleResult
 * @property {TransportName} probe
 * @property {number} ms  How long it was idle, or until it ended.
 * @property {"survived" | "ended" | "dead"} outcome  `dead`: it looked open, but nothing came through.
 */

/**
 * @param {Measurement} measurement
 * @returns {measurement is StreamMeasurement}
 */
export function isStream(measurement) {
  return measurement.probe === "ws" || measurement.probe === "sse";
}

/**
 * Estimates how far the server's clock is ahead of this one, from the message that travelled least. Its travel time is the
 * error, so no message looks later than it was.
 * @param {Iterable<Measurement>} measurements
 * @returns {number | null} Null if no message says when it was sent.
 */
export function clockOffsetMs(measurements) {
  let best = null;
  for (const measurement of measurements) {
    const samples = isStream(measurement)
      ? measurement.samples
      : measurement.requests.flatMap(({ sample }) => sample ?? []);
    for (const { serverMs, receivedAt } of samples) {
      if (serverMs !== null) best = Math.max(best ?? -Infinity, serverMs - receivedAt);
    }
  }
  return best;
}
