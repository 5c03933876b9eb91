// @ts-check
/**
 * What the network doctor measures, and the difference between the server's clock and this one that follows from it.
 *
 * Moments, whose names end in `At`, are milliseconds by a clock of this browser that is never set, since some moment of
 * its own.
 */

/** @typedef {"ws" | "sse" | "poll" | "short"} Rung */
/** @typedef {"http" | Rung} Way  `http` is an ordinary request, which has nothing to do with live messages. */

/**
 * @typedef {object} Sample  Something that the server said.
 * @property {number | null} serverMs  When by its own clock, since 1970; null where it did not say.
 * @property {number} receivedAt
 */

/**
 * A way that stays open, from asking for it until enough was seen.
 * @typedef {object} Stream
 * @property {"ws" | "sse"} way
 * @property {number | null} openMs  From asking until it opened; null: it never did.
 * @property {number | null} firstMs  From asking to the first message.
 * @property {number | null} endedMs  From asking until something other than this page ended it; null: nothing did.
 * @property {boolean} isAsked  The server ended it on purpose, and said so.
 * @property {boolean} isKept  Something came after a heartbeat's time too.
 * @property {Sample[]} samples
 * @property {Answer | null} refusal  What an ordinary request to the same address was told, where it did not open.
 * @property {number | null} roundTripMs  To the server and back, over a connection of the same kind.
 */

/**
 * One question and its answer.
 * @typedef {object} Answer
 * @property {number} askedAt
 * @property {number} waitMs  How long the server was asked to wait before it answers.
 * @property {number} tookMs
 * @property {"answered" | "failed" | "unanswered"} outcome  `failed`: at once and without an answer; `unanswered`: not
 *   in time.
 * @property {number | null} status  Of HTTP.
 * @property {string} contentType
 * @property {boolean} isOurs  It has the form of the server's own.
 * @property {Sample | null} sample  The newest that it carried.
 * @property {number} precisionMs  By how much its `serverMs` may be too early.
 */

/**
 * A way that asks and is answered.
 * @typedef {object} Asking
 * @property {"http" | "poll" | "short"} way
 * @property {Answer[]} answers  In the order of asking; the first that went wrong is the last.
 */

/** @typedef {Stream | Asking} Measurement */

/**
 * How a connection fared that was left alone.
 * @typedef {object} Quiet
 * @property {Rung} way
 * @property {number} ms  For how long; until it ended, where it did.
 * @property {"survived" | "ended" | "dead"} outcome  `dead`: it looked open, and nothing came through any more.
 */

/**
 * @param {Measurement} measurement
 * @returns {measurement is Stream}
 */
export function isStream(measurement) {
  return measurement.way === "ws" || measurement.way === "sse";
}

/**
 * How far the server's clock is ahead of this one: by the message that took the least time. What it took counts as
 * error, so no message looks later than it was.
 * @param {Iterable<Measurement>} measurements
 * @returns {number | null} Null while the server has not said what time it is.
 */
export function clockOffsetMs(measurements) {
  let best = null;
  for (const measurement of measurements) {
    for (const { serverMs, receivedAt } of samplesOf(measurement)) {
      if (serverMs !== null) best = Math.max(best ?? -Infinity, serverMs - receivedAt);
    }
  }
  return best;
}

/** @param {Measurement} measurement */
function samplesOf(measurement) {
  if (isStream(measurement)) return measurement.samples;
  return measurement.answers.flatMap(({ sample }) => sample ?? []);
}
