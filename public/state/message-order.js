// @ts-check
/**
 * Where a relayed message belongs for a reader: whether it comes next, was already seen, or shows that something is
 * missing in between.
 *
 * Each relayed message says after which cursor it came in the leader's stream. Tabs may be at different cursors, and
 * leaders change; this alone keeps every tab from skipping or repeating, whoever the leader is.
 */
import { isNewer, parseCursor } from "./cursor.js";

/** @typedef {import("../live/transports/message.js").Message} Message */

/**
 * @param {Message} message
 * @param {string} after  Where the stream that brought it was before it.
 * @param {string} known  Where the reader is; "" for one that still needs a snapshot.
 * @returns {"next" | "old" | "gap"} "gap": something between `known` and `after` was not seen, so this cannot be taken.
 */
export function placeOf(message, after, known) {
  switch (message.type) {
    case "snapshot":
      return placeOfSnapshot(message, after, known);
    case "status":
    case "pet":
    case "gone":
      if (hasReached(known, message.cursor)) return "old";
      return hasReached(known, after) && isNewer(message.cursor, known) ? "next" : "gap";
    case "heartbeat":
      // An old one still says that the server lives.
      return hasReached(known, message.cursor) || hasReached(known, after) ? "next" : "gap";
    default:
      return "next";
  }
}

/**
 * A snapshot needs nothing before it. One that is older than the reader holds only where the stream itself went back,
 * e.g. with a store that came back from a backup; else its leader was merely behind.
 * @param {Message} message
 * @param {string} after
 * @param {string} known
 */
function placeOfSnapshot(message, after, known) {
  return isNewer(known, message.cursor) && !isNewer(after, message.cursor) ? "old" : "next";
}

/**
 * Whether a reader at `known` has seen everything up to `cursor`. Of another epoch it has seen nothing.
 * @param {string} known
 * @param {unknown} cursor
 */
export function hasReached(known, cursor) {
  const at = parseCursor(known);
  const to = parseCursor(cursor);
  return at !== null && to !== null && at.epoch === to.epoch && at.rev >= to.rev;
}
