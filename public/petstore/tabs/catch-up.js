// @ts-check
/** Requests the changes that a tab missed from the server, without waiting for new ones. */
import { isChange } from "../protocol/message-order.js";
import { withTimeout } from "../clock.js";
import { isMessage } from "../protocol/message.js";
import { liveUrl } from "../transports/url.js";
/** @import { Clock } from "../clock.js" */
/** @import { Message } from "../protocol/message.js" */
/** @import { Watch } from "../transports/url.js" */

/** @typedef {(since: string, signal: AbortSignal) => Promise<Message[]>} CatchUp  Rejects if the server does not answer. */

const TIMEOUT_MS = 5_000;

/**
 * @param {object} options
 * @param {typeof fetch} options.fetch
 * @param {Watch} options.watch
 * @param {Clock} options.clock
 * @returns {CatchUp}
 */
export function createCatchUp({ fetch, watch, clock }) {
  // Only what advances the board: `hello` and `bye` of this request say nothing about the leader's connection.
  const advances = (/** @type {unknown} */ message) =>
    isMessage(message) && (message.type === "snapshot" || isChange(message));
  return (since, outer) =>
    withTimeout({ clock, limitMs: TIMEOUT_MS, signal: outer }, async (signal) => {
      const response = await fetch(liveUrl(watch, "/live/poll", since, { wait: 0 }), { signal, cache: "no-store" });
      // The body of a refusal, or of a proxy's page, has no messages and fails here.
      const { messages } = await response.json();
      return messages.filter(advances);
    });
}
