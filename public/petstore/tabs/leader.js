// @ts-check
/** The tab that holds the only connection of the browser: relays its messages, and replies to tabs that join. */
import { noop } from "../transports/transport.js";
/** @import { Connection } from "../connection/connection.js" */
/** @import { ConnectionState } from "../connection/handover.js" */
/** @import { Message } from "../protocol/message.js" */
/** @import { ChannelElection } from "./channel-election.js" */
/** @import { Join, PageEvent, TabMessage } from "./tab-message.js" */
/** @import { Tab } from "./tab.js" */

export class Leader {
  #tab;
  #connection;
  #election;
  #onreplaced;
  /** @type {ConnectionState} */
  #state = { phase: "connecting" };
  /** @type {Message | null} */
  #hello = null;

  /**
   * @param {Tab} tab
   * @param {object} options
   * @param {Connection} options.connection  Not started, and for every pet.
   * @param {Pick<ChannelElection, "term" | "outranks">} options.election
   * @param {() => void} options.onreplaced  Another tab leads.
   */
  constructor(tab, { connection, election, onreplaced }) {
    this.#tab = tab;
    this.#connection = connection;
    this.#election = election;
    this.#onreplaced = onreplaced;
  }

  start() {
    this.#claim();
    this.#connection.onmessage = (message) => this.#relay(message);
    this.#connection.onstate = (state) => this.#changeState(state);
    this.#connection.start();
  }

  /** Ends the connection without telling the others: for them it continues with the next leader. */
  stop() {
    this.#connection.onmessage = this.#connection.onstate = noop;
    this.#connection.stop();
  }

  /**
   * A tab that slept may learn of its successor before it learns that it lost the lock, and must not reply in its place.
   * @param {TabMessage} message
   */
  receive(message) {
    if (message.kind === "lead") {
      // Of two leaders one stays. It repeats its claim, for the other one and for that one's followers.
      if (this.#election.outranks(message)) this.#claim();
      else this.#onreplaced();
    } else if (message.kind === "join") {
      this.#welcome(message);
    } else if (message.kind === "page-event") {
      this.handle(message.event);
    }
  }

  /** @param {PageEvent} event */
  handle(event) {
    this.#connection[event]();
  }

  #claim() {
    this.#tab.post({ kind: "lead", leader: this.#tab.id, term: this.#election.term });
  }

  /** @param {Message} message */
  #relay(message) {
    const after = this.#tab.cursor;
    if (message.type === "hello") this.#hello = message;
    this.#tab.post({ kind: "message", leader: this.#tab.id, after, message });
    this.#tab.receive(message);
  }

  /** @param {ConnectionState} state */
  #changeState(state) {
    this.#state = state;
    this.#tab.post({ kind: "state", leader: this.#tab.id, state });
    this.#tab.show(state);
  }

  /** @param {Join} join */
  #welcome({ from, since }) {
    const { id, cursor, isHidden } = this.#tab;
    this.#tab.post({
      kind: "welcome",
      leader: id,
      to: from,
      state: this.#state,
      hello: this.#state.phase === "up" ? this.#hello : null,
      since,
      position: cursor,
      changes: this.#tab.recentChanges.between(since, cursor),
      isHidden,
    });
  }
}
