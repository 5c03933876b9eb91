// @ts-check
/**
 * What of a link's messages the page has not had yet.
 *
 * While one link takes over from another, both bring the same changes, each from where it was opened. Here
 * they become one order again, in which nothing comes twice and nothing goes back.
 */
import { isNewer, isSameHistory } from "./cursor.js";

/** @typedef {import("../live/transports/message.js").Message} Message */

/**
 * @param {Message} message
 * @param {object} where
 * @param {string} where.cursor  Where the page is.
 * @param {string} where.since  Where the link was opened, or has been since.
 * @param {boolean} where.isFirst  Whether the link has brought nothing yet.
 */
export function isNews(message, { cursor, since, isFirst }) {
  switch (message.type) {
    case "status":
    case "pet":
    case "gone":
      return isNewer(message.cursor, cursor);
    case "snapshot":
      // One of a history that the page has left comes from the link that was left behind there.
      if (!isSameHistory(message.cursor, cursor)) return !isSameHistory(message.cursor, since);
      // One that is behind the page was overtaken by another link. But if it is the answer to where we are, and behind
      // that, then the server itself went back, e.g. to a backup.
      return !isNewer(cursor, message.cursor) || (isFirst && isNewer(since, message.cursor));
    default:
      return true;
  }
}
