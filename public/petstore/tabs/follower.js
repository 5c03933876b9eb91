// @ts-check
/**
 * A tab that receives its messages from the leader.
 *
 * It takes only messages that continue the sequence of its own page. If something is missing, it asks the leader, then the
 * server once. If neither helps, it takes the lead: its own connection starts at its own cursor.
 *
 * It also takes the lead from a leader that delivers nothing and does not reply, or replies that it is connected, or is
 * hidden while this tab is visible. Browsers restrict hidden tabs, each in a different way.
 */
import { hasReached, isNewer } from "../protocol/cursor.js";
import { classify, isChange } from "../protocol/message-order.js";
import { noop } from "../transports/transport.js";
/** @import { Message } from "../protocol/message.js" */
/** @import { CatchUp } from "../connection/catch-up.js" */
/** @import { PageEvent, TabMessage, Welcome } from "./tab-message.js" */
/** @import { Tab } from "./tab.js" */

/** Silence after which the leader is asked, in heartbeats. The rest up to 1.5 is for taking over. */
const SILENT_HEARTBEATS = 1.2;

/** Time limit for the leader's reply, or an eighth of a heartbeat if that is less. A reply takes milliseconds. */
const REPLY_LIMIT_MS = 1_000;

/**
 * The same if no leader is known and the browser appoints none: there probably is no leader, and the page waits for its
 * connection. Replacing a leader that exists after all costs one connection and no message.
 */
const VACANT_LIMIT_MS = 250;

/** Time limit for joining, including a request to the server. */
const JOIN_LIMIT_MS = 6_000;

/** Time limit for stealing the lock. After it, locks do not work here. */
const TAKE_OVER_LIMIT_MS = 3_000;

export class Follower {
  #tab;
  #hasQueue;
  #catchUp;
  #ontakeover;
  #ongiveup;
  #leader = "";
  #cancelWait = noop;
  #request = new AbortController();
  #hasHello = false;
  /** When this tab asked for missing changes; -Infinity if no reply is expected. */
  #joinedAt = -Infinity;
  /** Nobody has replied since this tab asked. */
  #awaitsReply = false;
  /** When a tab with precedence asked; -Infinity once somebody replied or delivered. */
  #rivalJoinedAt = -Infinity;
  #deliveredAt;
  #hasAskedServer = false;

  /**
   * @param {Tab} tab
   * @param {object} options
   * @param {boolean} options.hasQueue  The browser appoints this tab when there is no leader.
   * @param {Pick<CatchUp, "run">} options.catchUp
   * @param {() => void} options.ontakeover  This tab should take the lead.
   * @param {() => void} options.ongiveup  There is no leader, and this tab cannot take the lead.
   */
  constructor(tab, { hasQueue, catchUp, ontakeover, ongiveup }) {
    this.#tab = tab;
    this.#hasQueue = hasQueue;
    this.#catchUp = catchUp;
    this.#ontakeover = ontakeover;
    this.#ongiveup = ongiveup;
    this.#deliveredAt = tab.clock.now();
  }

  start() {
    this.#join();
  }

  stop() {
    this.#cancelWait();
    this.#request.abort();
  }

  /** @param {TabMessage} message */
  receive(message) {
    if (message.kind !== "join") this.#rivalJoinedAt = -Infinity;
    switch (message.kind) {
      case "lead":
        this.#leader = message.leader;
        return this.#join();
      case "resign":
        return message.leader === this.#leader ? this.#resigned() : undefined;
      case "welcome":
        return message.to === this.#tab.id ? this.#welcomed(message) : this.#overheard(message);
      case "message":
        return message.leader === this.#leader ? this.#deliver(message.message, message.after) : undefined;
      case "state":
        return message.leader === this.#leader ? this.#tab.show(message.state) : undefined;
      case "join":
        return this.#rivalJoined(message.from);
    }
  }

  /**
   * Passes an event of this page to the leader. If the leader is asleep, this tab takes over.
   * @param {PageEvent} event
   */
  handle(event) {
    this.#tab.post({ kind: "page-event", event });
    if (event !== "offline") this.#join();
  }

  #join() {
    this.#awaitsReply = true;
    this.#joinedAt = this.#tab.clock.now();
    this.#request.abort();
    this.#tab.post({ kind: "join", from: this.#tab.id, since: this.#tab.cursor });
    if (Math.abs(this.#tab.clock.now() - this.#rivalJoinedAt) < this.#replyLimitMs) this.#yield();
    else this.#wait(this.#replyLimitMs, () => this.#takeOver());
  }

  #resigned() {
    this.#leader = "";
    this.#join();
  }

  /**
   * Of two tabs that ask at the same time the one with the higher id yields, or each would take the lead from the other.
   * @param {string} from
   */
  #rivalJoined(from) {
    if (from > this.#tab.id) return;
    this.#rivalJoinedAt = this.#tab.clock.now();
    if (this.#awaitsReply) this.#yield();
  }

  #yield() {
    this.#awaitsReply = false;
    this.#rivalJoinedAt = -Infinity;
    this.#wait(this.#replyLimitMs * 2, () => this.#join());
  }

  /**
   * A leader that slept may reply once more before it learns that it was replaced. The new leader replies too, which
   * corrects every tab that followed the old one.
   * @param {Welcome} welcome  To another tab.
   */
  #overheard({ leader }) {
    if (leader === this.#leader || this.#awaitsReply) return;
    this.#leader = leader;
    this.#join();
  }

  /** @param {Welcome} welcome */
  #welcomed({ leader, state, hello, since: asked, position, changes, isHidden }) {
    this.#leader = leader;
    if (this.#isSilent() && (state.phase === "up" || (isHidden && !this.#tab.isHidden))) {
      // Counts as no reply: this tab takes over when the time limit ends, unless something is delivered.
      this.#joinedAt = -Infinity;
      return;
    }
    const since = this.#tab.cursor;
    this.#awaitsReply = false;
    this.#tab.show(state);
    this.#takeHello(hello);
    this.#awaitMessage();
    // A leader that was replaced may reply late, with changes of an epoch that this page has left since it asked.
    if (changes && hasReached(since, asked)) this.#deliverAll(changes, asked);
    else if (!this.#hasAskedServer) return void this.#askServer(since);
    // If this tab is ahead, the leader will receive the same changes soon.
    else if (!isNewer(since, position)) return this.#takeOver();
    this.#joinedAt = -Infinity;
    this.#hasAskedServer = false;
  }

  /**
   * Takes the hello of the leader's connection, once. Its server time is outdated and left out.
   * @param {Message | null} hello
   */
  #takeHello(hello) {
    if (!hello || this.#hasHello) return;
    const { server_time: _, ...rest } = hello;
    this.#hasHello = true;
    this.#tab.receive(rest);
  }

  /** @param {Message} message @param {string} after */
  #deliver(message, after) {
    const wasSilent = this.#isSilent();
    this.#awaitsReply = false;
    this.#hasHello ||= message.type === "hello";
    this.#deliveredAt = this.#tab.clock.now();
    const order = classify(message, after, this.#tab.cursor);
    if (order === "next") this.#tab.receive(message);
    this.#awaitMessage();
    if ((order === "gap" || wasSilent) && !this.#isJoining()) this.#join();
  }

  /**
   * @param {Message[]} messages  Without a gap between them. Some may have arrived by another way meanwhile.
   * @param {string} from  The cursor before the first one.
   */
  #deliverAll(messages, from) {
    let after = from;
    for (const message of messages) {
      if (classify(message, after, this.#tab.cursor) === "next") this.#tab.receive(message);
      after = message.cursor;
    }
  }

  /** @param {string} since */
  async #askServer(since) {
    this.#request.abort();
    this.#request = new AbortController();
    const { signal } = this.#request;
    const answer = await this.#catchUp.run(since, signal).catch(() => null);
    if (signal.aborted) return;
    this.#hasAskedServer = true;
    // A heartbeat of this request says nothing about the leader's connection.
    const missed = answer?.messages.filter((message) => message.type === "snapshot" || isChange(message)) ?? [];
    this.#deliverAll(missed, since);
    this.#join();
  }

  #awaitMessage() {
    this.#wait(this.#silentMs, () => this.#join());
  }

  /** Returns true while a reply may still come, also from the server. Further gaps send no join meanwhile. */
  #isJoining() {
    return Math.abs(this.#tab.clock.now() - this.#joinedAt) < JOIN_LIMIT_MS;
  }

  /** A clock that was set back makes the difference negative: the silence is unknown, and counts as too long. */
  #isSilent() {
    return Math.abs(this.#tab.clock.now() - this.#deliveredAt) >= this.#silentMs;
  }

  get #silentMs() {
    return this.#tab.heartbeatMs * SILENT_HEARTBEATS;
  }

  #takeOver() {
    this.#wait(TAKE_OVER_LIMIT_MS, this.#ongiveup);
    this.#ontakeover();
  }

  get #replyLimitMs() {
    const isVacant = this.#leader === "" && !this.#hasQueue;
    return Math.min(isVacant ? VACANT_LIMIT_MS : REPLY_LIMIT_MS, this.#tab.heartbeatMs / 8);
  }

  /**
   * Starts the only timer of this tab, which replaces the one before.
   * @param {number} delayMs
   * @param {() => void} act
   */
  #wait(delayMs, act) {
    this.#cancelWait();
    this.#cancelWait = this.#tab.clock.after(delayMs, act);
  }
}
