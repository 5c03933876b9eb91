// @ts-check
/**
 * What tabs say to each other. A note is posted to all tabs of the browser and heard in the order of posting by one tab.
 *
 * The shapes may change between two versions of the program only together with the channel's name.
 */

/** @typedef {import("../transports/message.js").Message} Message */
/** @typedef {import("../connection/connection.js").ConnectionState} ConnectionState */
/** @typedef {"wake" | "online" | "offline"} Turn  What a connection is told about its page, by the method's name. */

/**
 * Is anybody leading, and what did I miss since this cursor?
 * @typedef {{ kind: "join", from: string, since: string }} Join
 */

/**
 * This tab leads from now on. `term` is 0 where a lock decides who leads.
 * @typedef {{ kind: "lead", leader: string, term: number }} Lead
 */

/**
 * The leader's answer. `position` is where it is. `hello` is only there while it is connected. `run` is what lies between
 * `since`, where the joiner was when it asked, and `position`; null where that is not known.
 * @typedef {object} Welcome
 * @property {"welcome"} kind
 * @property {string} leader
 * @property {string} to
 * @property {ConnectionState} state
 * @property {Message | null} hello
 * @property {string} since
 * @property {string} position
 * @property {Message[] | null} run
 * @property {boolean} isHidden
 */

/**
 * - `resign`: this tab no longer leads, and no successor was appointed.
 * - `state`: how the leader's connection is.
 * - `message`: what came over it, after the cursor `after`.
 * - `turn`: for the leader, from any tab.
 * @typedef {Join | Welcome | Lead
 *   | { kind: "resign", leader: string }
 *   | { kind: "state", leader: string, state: ConnectionState }
 *   | { kind: "message", leader: string, after: string, message: Message }
 *   | { kind: "turn", turn: Turn }} Note
 */

export {};
