// @ts-check
/**
 * A tab that hears what another tab's connection brings.
 *
 * It takes only what comes next for its own page. When something is missing it asks the leader, then the server once,
 * and where neither helps it takes the lead: its own connection starts at its own cursor.
 *
 * It takes the lead also from a leader that delivers nothing and does not answer, or says that all is well, or is hidden
 * while this tab is looked at. Browsers stop most of what a hidden tab does, and each of them other parts of it.
 */
import { isNewer } from "../../state/cursor.js";
import { ignore } from "../transports/transport.js";
import { hasReached, placeOf } from "../../state/message-order.js";

/** @typedef {import("../transports/message.js").Message} Message */
/** @typedef {import("./tab-message.js").Note} Note */

/** Silence after which the leader is asked, in heartbeats. The rest up to one and a half is for taking over. */
const SILENT_HEARTBEATS = 1.2;

/** The longest that a leader may take to answer; an eighth of a heartbeat where that is less. It takes milliseconds. */
const ANSWER_LIMIT_MS = 1_000;

/**
 * The same if no leader is known and the browser appoints none: most likely there is no leader, and the page waits for its
 * connection. A leader that exists after all is replaced, which costs a connection and no message.
 */
const VACANT_LIMIT_MS = 250;

/** The longest that joining may take, with a question to the server. */
const JOIN_LIMIT_MS = 6_000;

/** The longest that the lock may take to be seized. After that, locks do not work here. */
const SEIZE_LIMIT_MS = 3_000;

export class Follower {
  #tab;
  #hasQueue;
  #missedSince;
  #onseize;
  #ongiveup;
  #leader = "";
  #cancelWait = ignore;
  #asking = new AbortController();
  #isGreeted = false;
  /** When this tab asked for what it lacks, while something may come of it. */
  #joinedAt = -Infinity;
  /** Nobody has answered since this tab asked. */
  #isUnanswered = false;
  /** When a tab that goes first has asked, and nobody has answered or delivered since. */
  #rivalJoinedAt = -Infinity;
  #deliveredAt;
  #hasAskedServer = false;

  /**
   * @param {import("./tab.js").Tab} tab
   * @param {object} parts
   * @param {boolean} parts.hasQueue  The browser appoints this tab when there is no leader.
   * @param {(cursor: string, signal: AbortSignal) => Promise<Message[]>} parts.missedSince  Asks the server.
   * @param {() => void} parts.onseize  This tab should take the lead.
   * @param {() => void} parts.ongiveup  Nobody leads, and the lead cannot be taken.
   */
  constructor(tab, { hasQueue, missedSince, onseize, ongiveup }) {
    this.#tab = tab;
    this.#hasQueue = hasQueue;
    this.#missedSince = missedSince;
    this.#onseize = onseize;
    this.#ongiveup = ongiveup;
    this.#deliveredAt = tab.clock.now();
  }

  start() {
    this.#join();
  }

  stop() {
    this.#cancelWait();
    this.#asking.abort();
  }

  /** @param {Note} note */
  hear(note) {
    if (note.kind !== "join") this.#rivalJoinedAt = -Infinity;
    switch (note.kind) {
      case "lead":
        this.#leader = note.leader;
        return this.#join();
      case "resign":
        return note.leader === this.#leader ? this.#resigned() : undefined;
      case "welcome":
        return note.to === this.#tab.id ? this.#welcomed(note) : this.#overheard(note);
      case "message":
        return note.leader === this.#leader ? this.#delivered(note.message, note.after) : undefined;
      case "state":
        return note.leader === this.#leader ? this.#tab.show(note.state) : undefined;
      case "join":
        return this.#heardJoin(note.from);
    }
  }

  /**
   * The leader may be the one that is asleep: then this tab, which is awake, takes over.
   * @param {import("./tab-message.js").Turn} turn
   */
  turn(turn) {
    this.#tab.post({ kind: "turn", turn });
    if (turn !== "offline") this.#join();
  }

  #join() {
    this.#isUnanswered = true;
    this.#joinedAt = this.#tab.clock.now();
    this.#asking.abort();
    this.#tab.post({ kind: "join", from: this.#tab.id, since: this.#tab.cursor });
    if (this.#isRivalFirst()) this.#standBack();
    else this.#wait(this.#answerLimitMs, () => this.#seize());
  }

  #resigned() {
    this.#leader = "";
    this.#join();
  }

  /**
   * Of two that ask at once, one stands back: else each would seize the lead from the other.
   * @param {string} from
   */
  #heardJoin(from) {
    if (from > this.#tab.id) return;
    this.#rivalJoinedAt = this.#tab.clock.now();
    if (this.#isUnanswered) this.#standBack();
  }

  #isRivalFirst() {
    return Math.abs(this.#tab.clock.now() - this.#rivalJoinedAt) < this.#answerLimitMs;
  }

  #standBack() {
    this.#isUnanswered = false;
    this.#rivalJoinedAt = -Infinity;
    this.#wait(this.#answerLimitMs * 2, () => this.#join());
  }

  /**
   * A leader that has slept may answer once more before it learns that it was replaced. Its successor answers it too,
   * and so all who believed it are put right.
   * @param {import("./tab-message.js").Welcome} welcome  To another tab.
   */
  #overheard({ leader }) {
    if (leader === this.#leader || this.#isUnanswered) return;
    this.#leader = leader;
    this.#join();
  }

  /** @param {import("./tab-message.js").Welcome} welcome */
  #welcomed({ leader, state, hello, since: asked, position, run, isHidden }) {
    this.#leader = leader;
    if (this.#isSilent() && (state.phase === "up" || (isHidden && !this.#tab.isHidden))) {
      // No better than no answer: this tab takes over when the time for one is up, unless something is delivered.
      this.#joinedAt = -Infinity;
      return;
    }
    const since = this.#tab.cursor;
    this.#isUnanswered = false;
    this.#tab.show(state);
    this.#greet(hello);
    this.#listen();
    // A leader that was replaced may answer late, from a history that this page has left since it asked.
    if (run && hasReached(since, asked)) this.#deliverAll(run, asked);
    else if (!this.#hasAskedServer) return void this.#askServer(since);
    // What this tab has that the leader has not is on its way to the leader.
    else if (!isNewer(since, position)) return this.#seize();
    this.#joinedAt = -Infinity;
    this.#hasAskedServer = false;
  }

  /**
   * The server's word that the leader's connection began with. Its time has passed since and is left out.
   * @param {Message | null} hello
   */
  #greet(hello) {
    if (!hello || this.#isGreeted) return;
    const { server_time: _, ...rest } = hello;
    this.#isGreeted = true;
    this.#tab.take(rest);
  }

  /**
   * @param {Message} message
   * @param {string} after
   */
  #delivered(message, after) {
    const wasSilent = this.#isSilent();
    this.#isUnanswered = false;
    this.#isGreeted ||= message.type === "hello";
    this.#deliveredAt = this.#tab.clock.now();
    const place = placeOf(message, after, this.#tab.cursor);
    if (place === "next") this.#tab.take(message);
    this.#listen();
    if ((place === "gap" || wasSilent) && !this.#isJoining()) this.#join();
  }

  /**
   * @param {Message[]} messages  Without a gap between them, and perhaps in part overtaken by what came meanwhile.
   * @param {string} from  The cursor that they follow.
   */
  #deliverAll(messages, from) {
    let after = from;
    for (const message of messages) {
      if (placeOf(message, after, this.#tab.cursor) === "next") this.#tab.take(message);
      after = message.cursor;
    }
  }

  /** @param {string} since */
  async #askServer(since) {
    this.#asking.abort();
    this.#asking = new AbortController();
    const { signal } = this.#asking;
    const missed = await this.#missedSince(since, signal).catch(() => []);
    if (signal.aborted) return;
    this.#hasAskedServer = true;
    this.#deliverAll(missed, since);
    this.#join();
  }

  #listen() {
    this.#wait(this.#silentMs, () => this.#join());
  }

  /** Whether an answer may still come, the server's included. Further gaps ask nothing meanwhile. */
  #isJoining() {
    return Math.abs(this.#tab.clock.now() - this.#joinedAt) < JOIN_LIMIT_MS;
  }

  /** A clock set back makes the difference negative: then nothing is known, and doubt is the safe side. */
  #isSilent() {
    return Math.abs(this.#tab.clock.now() - this.#deliveredAt) >= this.#silentMs;
  }

  get #silentMs() {
    return this.#tab.heartbeatMs * SILENT_HEARTBEATS;
  }

  #seize() {
    this.#wait(SEIZE_LIMIT_MS, this.#ongiveup);
    this.#onseize();
  }

  /** No leader is known, and the browser appoints none. */
  get #isVacant() {
    return this.#leader === "" && !this.#hasQueue;
  }

  get #answerLimitMs() {
    return Math.min(this.#isVacant ? VACANT_LIMIT_MS : ANSWER_LIMIT_MS, this.#tab.heartbeatMs / 8);
  }

  /**
   * There is one thing to wait for at a time.
   * @param {number} delayMs
   * @param {() => void} act
   */
  #wait(delayMs, act) {
    this.#cancelWait();
    this.#cancelWait = this.#tab.clock.after(delayMs, act);
  }
}
