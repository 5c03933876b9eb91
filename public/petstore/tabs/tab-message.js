// @ts-check
/**
 * Messages between tabs. A message is posted to every other tab of the browser; messages of one tab arrive in order.
 *
 * Change their shape only together with the version in the channel's name.
 */

/** @import { ConnectionState } from "../connection/handover.js" */
/** @import { Message } from "../protocol/message.js" */

/** @typedef {"wake" | "online" | "offline"} PageEvent  Names a method of the connection. */

/**
 * Asks for the leader, and for the changes after a cursor.
 * @typedef {{ kind: "join", from: string, since: string }} Join
 */

/**
 * Announces that this tab leads from now on. `term` is 0 where a lock decides who leads.
 * @typedef {{ kind: "lead", leader: string, term: number }} Lead
 */

/**
 * The leader's reply to a join.
 * @typedef {object} Welcome
 * @property {"welcome"} kind
 * @property {string} leader
 * @property {string} to
 * @property {ConnectionState} state
 * @property {Message | null} hello  Null while the leader is not connected.
 * @property {string} since  The cursor in the join.
 * @property {string} position  The cursor of the leader.
 * @property {Message[] | null} changes  The changes from `since` to `position`; null if the leader does not have them all.
 * @property {boolean} isHidden
 */

/**
 * - `resign`: the leader stops, without a successor.
 * - `state`: the state of the leader's connection.
 * - `message`: what the leader's connection delivered, directly after the cursor `after`.
 * - `page-event`: an event of any tab, for the leader's connection.
 * @typedef {Join | Welcome | Lead
 *   | { kind: "resign", leader: string }
 *   | { kind: "state", leader: string, state: ConnectionState }
 *   | { kind: "message", leader: string, after: string, message: Message }
 *   | { kind: "page-event", event: PageEvent }} TabMessage
 */

export {};
