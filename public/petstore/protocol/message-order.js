// @ts-check
/**
 * Decides whether a message continues the sequence that a page has received, so that no change is skipped or repeated:
 * while two links run concurrently, and when one tab relays its stream to tabs at other cursors.
 */
import { hasReached, isNewer, isSameEpoch, parseCursor } from "./cursor.js";
/** @import { Message } from "./message.js" */

/** Returns true for messages that carry one committed change. @param {Message} message */
export function isChange({ type }) {
  return type === "status" || type === "pet" || type === "gone";
}

/**
 * Returns true if the page has not received this message over another link.
 * @param {Message} message
 * @param {object} context
 * @param {string} context.cursor  The cursor of the page.
 * @param {string} context.since  The cursor of the link before this message.
 * @param {boolean} context.isFirst  True if this is the first message of the link with a cursor.
 */
export function isUnseen(message, { cursor, since, isFirst }) {
  if (isChange(message)) return isNewer(message.cursor, cursor);
  if (message.type !== "snapshot") return true;
  // If the page has moved on to another epoch, a link that still delivers the old one is outdated.
  if (!isSameEpoch(message.cursor, cursor)) return !isSameEpoch(message.cursor, since);
  // An older snapshot was overtaken by another link. But if it is the first answer to a newer cursor, the server itself
  // went back, e.g. to a backup.
  return !isNewer(cursor, message.cursor) || (isFirst && isNewer(since, message.cursor));
}

/**
 * Returns true if a link lost something before this message. Changes and heartbeats name the cursor of the change before
 * them, as `after`. Only a snapshot leads to another epoch.
 * @param {Message} message  Of this link, whose messages form one sequence whatever other links deliver.
 * @param {string} reached  The cursor up to which the link has delivered everything; "" before its first snapshot.
 */
export function isGap(message, reached) {
  if (!isChange(message) && message.type !== "heartbeat") return false;
  // Earlier servers send no `after`.
  if (parseCursor(message.after)) return !hasReached(reached, message.after);
  return parseCursor(message.cursor) !== null && parseCursor(reached) !== null && !isSameEpoch(message.cursor, reached);
}

/**
 * Classifies a relayed message for a reader. It is relayed with the cursor that the stream had before it.
 * @param {Message} message
 * @param {string} after  The cursor of the stream before the message.
 * @param {string} known  The cursor of the reader; "" if it still needs a snapshot.
 * @returns {"next" | "old" | "gap"} `gap`: the reader misses something between `known` and `after`.
 */
export function classify(message, after, known) {
  if (isChange(message)) {
    if (hasReached(known, message.cursor)) return "old";
    return hasReached(known, after) && isNewer(message.cursor, known) ? "next" : "gap";
  }
  // An old heartbeat still shows that the server is alive.
  if (message.type === "heartbeat") return hasReached(known, message.cursor) || hasReached(known, after) ? "next" : "gap";
  if (message.type !== "snapshot") return "next";
  // A snapshot needs nothing before it. An older one counts only if the stream itself went back, e.g. because the store was
  // restored from a backup; otherwise the leader was behind.
  return isNewer(known, message.cursor) && !isNewer(after, message.cursor) ? "old" : "next";
}
