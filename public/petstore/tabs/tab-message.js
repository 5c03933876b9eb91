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
 * Asks for the leader, for these pets, and for their changes after a cursor.
 * @typedef {{ kind: "join", from: string, since: string, pets: string[], isHidden: boolean }} Join
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
 * @property {string[]} pets  The filter of the leader's connection.
 * @property {ConnectionState} state
 * @property {Message | null} hello  Null while the leader is not connected.
 * @property {string} since  The cursor in the join.
 * @property {string} position  The position of the leader's stream.
 * @property {Message[] | null} changes  The changes from `since` to `position`; null if the leader does not have them all.
 * @property {boolean} isHidden
 */

/**
 * A message that the leader's connection delivered. Of the pets in its filter, nothing else changed after the cursor `after`.
 * @typedef {{ kind: "message", leader: string, pets: string[], after: string, message: Message }} Relay
 */

/**
 * - `rejoin`: the leader asks its followers to join again, to learn which of them are left.
 * - `leave`: a follower goes away.
 * - `resign`: the leader stops, without a successor.
 * - `state`: the state of the leader's connection.
 * - `page-event`: an event of any tab, for the leader's connection.
 * @typedef {Join | Welcome | Lead | Relay
 *   | { kind: "rejoin", leader: string }
 *   | { kind: "leave", from: string }
 *   | { kind: "resign", leader: string }
 *   | { kind: "state", leader: string, state: ConnectionState }
 *   | { kind: "page-event", event: PageEvent }} TabMessage
 */

export {};
