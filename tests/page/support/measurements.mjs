/** Measurements of the network doctor that are healthy unless a test says otherwise. */

/** @import { IdleResult, RequestMeasurement, RequestResult, StreamMeasurement } from "../../../public/app/doctor/measurement.js" */

export const HEARTBEAT_MS = 15_000;
export const SITE = { url: "https://rescue.example", heartbeatMs: HEARTBEAT_MS };

/** The server's clock is an hour ahead of this one: nothing may depend on equal clocks. */
export const OFFSET_MS = 3_600_000;
export const SENT_AT = 1_000_000;

/** A sample that the server sent `sentMs` after the request, and that arrived after `gotMs`. @param {number} sentMs */
export const sample = (sentMs, gotMs = sentMs) => ({
  serverMs: SENT_AT + OFFSET_MS + sentMs,
  receivedAt: SENT_AT + gotMs,
});

/**
 * @param {"ws" | "sse"} probe
 * @param {Partial<StreamMeasurement>} [fields]
 * @returns {StreamMeasurement}
 */
export const stream = (probe, fields = {}) => ({
  probe,
  openMs: 20,
  firstMs: 30,
  endedMs: null,
  isServerEnd: false,
  isSustained: true,
  samples: [sample(30), sample(15_030)],
  refusal: null,
  roundTripMs: null,
  ...fields,
});

/** A stream that never opened. */
export const UNOPENED = { openMs: null, firstMs: null, isSustained: false, samples: [] };

/**
 * @param {Partial<RequestResult>} [fields]
 * @returns {RequestResult}
 */
export const response = (fields = {}) => ({
  sentAt: SENT_AT,
  waitMs: 0,
  tookMs: 10,
  outcome: "answered",
  status: 200,
  contentType: "application/json",
  isFromServer: true,
  sample: sample(5, 10),
  precisionMs: 0,
  ...fields,
});

/** @type {Partial<RequestResult>} */
export const FAILED = { outcome: "failed", status: null, contentType: "", isFromServer: false, sample: null };

/** @type {Partial<RequestResult>} */
export const TIMEOUT = { ...FAILED, outcome: "timeout" };

/**
 * @param {"http" | "poll" | "short"} probe
 * @param {RequestResult[]} requests
 * @returns {RequestMeasurement}
 */
export const requests = (probe, ...requests) => ({ probe, requests });
