// @ts-check
/**
 * The interface that WebSocket, SSE, long polling and short polling share, so that the connection has one code path.
 *
 * A transport reports and decides nothing. It never retries, and after `close()` it reports nothing more.
 */

/** @import { Message } from "../protocol/message.js" */

/** @typedef {"ws" | "sse" | "poll" | "short"} TransportName */
/** @typedef {TransportName | "log"} ShownTransport  What people are told. */
/** @typedef {{ retryMs?: number }} CloseInfo  `retryMs`: how long the server asked the client to stay away. */

/**
 * Why the page switches transports: the old one never opened, fell silent, lagged, lost messages or died; a better one is
 * tried; or the network changed.
 * @typedef {"refused" | "silent" | "lag" | "gap" | "died" | "upgrade" | "network"} SwitchReason
 */

/** @typedef {{ from: TransportName, why: SwitchReason }} Switch  Sent with the first request, for the server's metrics. */

/**
 * @typedef {object} Transport
 * @property {TransportName} name
 * @property {(since: string, cause?: Switch, hello?: Message) => void} open  Starts at a cursor; "" asks for a snapshot.
 *   Long polling does not ask for `hello` again if it gets the one that the page has received. A second `open` starts over.
 * @property {(command: object) => boolean} [send]  Only over WebSocket. Returns false if it is not open.
 * @property {() => void} close  Ends the transport without calling a handler. Idempotent.
 * @property {(message: Message) => void} onmessage
 * @property {(state: "open" | "closed", info?: CloseInfo) => void} onstate  "open" proves nothing until a message
 *   arrives. "closed" comes at most once per `open`.
 * @property {number} [roundTripMs]  For polling: the time from the last request to its response.
 * @property {string} [log]  Set while it follows the log, because the server is full.
 */

/** Placeholder for a handler that is not set. */
export const noop = () => {};
