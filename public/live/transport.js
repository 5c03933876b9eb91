// @ts-check
/**
 * The shape that WebSocket, SSE and long poll share, so that the connection has one code path.
 *
 * A transport says what happens to it and decides nothing: it never retries, and after `close()` it is silent.
 */

/** @typedef {import("./message.js").Message} Message */
/** @typedef {"ws" | "sse" | "poll"} TransportName */
/** @typedef {"open" | "closed"} TransportState  "open" is the network's word for it; only a message proves it. */
/** @typedef {{ retryMs?: number }} Ending  `retryMs`: how long the server asked us to stay away. */

/**
 * @typedef {object} Transport
 * @property {TransportName} name
 * @property {(since: string) => void} open  Starts from a cursor; "" asks for a snapshot.
 * @property {() => void} close  Ends it without a further call to either handler. Safe to call twice.
 * @property {(message: Message) => void} onmessage
 * @property {(state: TransportState, ending?: Ending) => void} onstate  "closed" comes at most once per `open`.
 */

/** Placeholder for a handler that nobody has set yet. */
export const ignore = () => {};
