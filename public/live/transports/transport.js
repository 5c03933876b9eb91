// @ts-check
/**
 * The shape that WebSocket, SSE, long poll and short poll share, so that the connection has one code path.
 *
 * A transport says what happens to it and decides nothing: it never retries, and after `close()` it is silent.
 */

/** @typedef {import("./message.js").Message} Message */
/** @typedef {"ws" | "sse" | "poll" | "short"} TransportName  The rungs of the ladder, the best first. */
/** @typedef {"open" | "closed"} TransportState  "open" is the network's word for it; only a message proves it. */
/** @typedef {{ retryMs?: number }} Ending  `retryMs`: how long the server asked us to stay away. */

/**
 * Why the page goes from one rung to another: it never opened, it fell silent, it lagged, it died, a better one is
 * tried, or the network is another.
 * @typedef {"refused" | "silent" | "lag" | "died" | "climb" | "network"} Reason
 */

/** @typedef {{ from: TransportName, why: Reason }} Change  Told to the server with the first request, for its statistics. */

/**
 * @typedef {object} Transport
 * @property {TransportName} name
 * @property {(since: string, change?: Change) => void} open  Starts from a cursor; "" asks for a snapshot.
 * @property {() => void} close  Ends it without a further call to either handler. Safe to call twice.
 * @property {(message: Message) => void} onmessage
 * @property {(state: TransportState, ending?: Ending) => void} onstate  "closed" comes at most once per `open`.
 * @property {number} [roundTripMs]  Where messages answer questions: from the last question to its answer.
 */

/** Placeholder for a handler that nobody has set yet. */
export const ignore = () => {};
