// @ts-check
/**
 * What the server says, the same over every transport.
 *
 * Only the envelope is checked here. What a type means is decided in `state/`, which ignores types and
 * fields that it does not know.
 */

/**
 * @typedef {Record<string, any> & { type: string }} Message
 */

/** The types a stream may carry; SSE has to be told each name that it should listen to. */
export const MESSAGE_TYPES = ["hello", "snapshot", "status", "pet", "gone", "heartbeat", "bye", "stale"];

/**
 * A text from the network as a message, or null when it is none: a proxy's error page must not look like life.
 * @param {unknown} text
 * @returns {Message | null}
 */
export function decode(text) {
  if (typeof text !== "string") return null;
  try {
    const value = JSON.parse(text);
    return isMessage(value) ? value : null;
  } catch {
    return null;
  }
}

/**
 * @param {any} value
 * @returns {value is Message}
 */
export function isMessage(value) {
  return typeof value === "object" && value !== null && typeof value.type === "string";
}
