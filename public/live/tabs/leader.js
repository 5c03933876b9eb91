// @ts-check
/**
 * The tab that holds the browser's one connection: it tells the others what comes over it, and answers those who join.
 */
import { ignore } from "../transports/transport.js";

/** @typedef {import("../transports/message.js").Message} Message */
/** @typedef {import("./tab-message.js").Note} Note */

export class Leader {
  #tab;
  #connection;
  #election;
  #onreplaced;
  /** @type {import("./tab-message.js").ConnectionState} */
  #state = { phase: "connecting" };
  /** @type {Message | null} */
  #hello = null;

  /**
   * @param {import("./tab.js").Tab} tab
   * @param {object} parts
   * @param {import("../connection/connection.js").Connection} parts.connection  Not started, and for every pet.
   * @param {Pick<import("./channel-election.js").Election, "term" | "isAhead">} parts.election  By which this tab leads.
   * @param {() => void} parts.onreplaced  Another tab leads.
   */
  constructor(tab, { connection, election, onreplaced }) {
    this.#tab = tab;
    this.#connection = connection;
    this.#election = election;
    this.#onreplaced = onreplaced;
  }

  start() {
    this.#claim();
    this.#connection.onmessage = (message) => this.#heard(message);
    this.#connection.onstate = (state) => this.#changed(state);
    this.#connection.start();
  }

  /** Ends the connection without a word: for the others it goes on with the next leader. */
  stop() {
    this.#connection.onmessage = this.#connection.onstate = ignore;
    this.#connection.stop();
  }

  /**
   * A tab that sleeps may hear of its successor before it hears of its lock, and must not answer in its place.
   * @param {Note} note
   */
  hear(note) {
    if (note.kind === "lead") this.#meet(note);
    else if (note.kind === "join") this.#welcome(note);
    else if (note.kind === "turn") this.turn(note.turn);
  }

  /**
   * Of two leaders one stays: it claims the lead again, for the other one and for those who followed that.
   * @param {import("./tab-message.js").Lead} rival
   */
  #meet(rival) {
    if (this.#election.isAhead(rival)) this.#claim();
    else this.#onreplaced();
  }

  #claim() {
    this.#tab.post({ kind: "lead", leader: this.#tab.id, term: this.#election.term });
  }

  /** @param {import("./tab-message.js").Turn} turn */
  turn(turn) {
    this.#connection[turn]();
  }

  /** @param {Message} message */
  #heard(message) {
    const after = this.#tab.cursor;
    if (message.type === "hello") this.#hello = message;
    this.#tab.post({ kind: "message", leader: this.#tab.id, after, message });
    this.#tab.take(message);
  }

  /** @param {import("./tab-message.js").ConnectionState} state */
  #changed(state) {
    this.#state = state;
    this.#tab.post({ kind: "state", leader: this.#tab.id, state });
    this.#tab.show(state);
  }

  /** @param {import("./tab-message.js").Join} join */
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
      run: this.#tab.run.between(since, cursor),
      isHidden,
    });
  }
}
