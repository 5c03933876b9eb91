// @ts-check
/**
 * Messages from the server, the same over every transport.
 *
 * Only the envelope is checked here. Its readers interpret the types, and ignore types and fields that it does not know.
 */

/** @typedef {Record<string, any> & { type: string }} Message */

/** Every message type. `EventSource` delivers only events that it has a listener for. */
export const MESSAGE_TYPES = ["hello", "snapshot", "status", "pet", "gone", "heartbeat", "bye", "stale"];

/**
 * Parses a text from the network. Returns null if it is not a message, such as the error page of a proxy.
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
