// @ts-check
/**
 * Receives the messages of a tab from the leader, in every tab: the leader follows itself.
 *
 * It takes only messages that continue the sequence of its own page. If something is missing, it asks the leader, then the
 * server once. If neither helps, it takes the lead: its own connection starts at its own cursor. A page asks the server also
 * when it starts, which is faster than any connection.
 *
 * It also takes the lead from a leader that delivers nothing and does not reply, or replies that it is connected, or is
 * hidden while this tab is visible. Browsers restrict hidden tabs, each in a different way.
 */
import { hasReached, isNewer } from "../protocol/cursor.js";
import { noop } from "../transports/transport.js";
import { covers } from "./pet-filter.js";
/** @import { Answer, CatchUp } from "../connection/catch-up.js" */
/** @import { ConnectionState } from "../connection/handover.js" */
/** @import { Message } from "../protocol/message.js" */
/** @import { PageEvent, Relay, TabMessage, Welcome } from "./tab-message.js" */
/** @import { Tab } from "./tab.js" */

/** Silence after which the leader is asked, in heartbeats. The rest up to 1.5 is for taking over. */
const SILENT_HEARTBEATS = 1.2;

/** The least of it beyond one heartbeat: a heartbeat may be late by the round trip of a slow network. */
const LATE_MS = 3_000;

/** Time limit for the leader's reply, or an eighth of a heartbeat if that is less. A reply takes milliseconds. */
const REPLY_LIMIT_MS = 1_000;

/**
 * The same if no leader is known and the browser appoints none: there probably is no leader, and the page waits for its
 * connection. Replacing a leader that exists after all costs one connection and no message.
 */
const VACANT_LIMIT_MS = 60;

/** Time limit for joining, including a request to the server, or a connection of the leader for the pets of this tab. */
const JOIN_LIMIT_MS = 6_000;

/** Time limit for stealing the lock. After it, locks do not work here. */
const TAKE_OVER_LIMIT_MS = 3_000;

export class Follower {
  /** The filter of the leader's connection, as far as this tab knows. @type {string[] | null} */
  filter = null;
  /** The first request of the page, until a leader has replied. @type {Promise<Answer> | undefined} */
  firstPoll;
  #tab;
  #hasQueue;
  #catchUp;
  #post;
  #ontakeover;
  #ongiveup;
  #leader = "";
  /** The request to the server that is under way. @type {AbortController | null} */
  #request = null;
  #cancelWait = noop;
  #isStopped = false;
  /** The cursor of the last request to the server; null once nothing is missing. @type {string | null} */
  #askedFor = null;
  /** The leader does not have what this tab is missing. */
  #isBehind = false;
  /** The leader's connection covers the pets of this tab. Otherwise its cursors say nothing about them. */
  #isCovered = true;
  /** Value of `isHidden` in the last join, which the leader knows. */
  #wasHidden = false;
  #hasHello = false;
  /** When this tab asked for missing changes; -Infinity if no reply is expected. */
  #joinedAt = -Infinity;
  /** Nobody has replied since this tab asked. */
  #awaitsReply = false;
  /** When a tab with precedence asked; -Infinity once somebody replied or delivered. */
  #rivalJoinedAt = -Infinity;
  #deliveredAt;

  /**
   * @param {Tab} tab
   * @param {object} options
   * @param {() => boolean} options.hasQueue  Returns true if the browser appoints this tab when there is no leader.
   * @param {Pick<CatchUp, "run">} options.catchUp
   * @param {(message: TabMessage) => void} options.post  To the leader, and to other tabs that follow.
   * @param {() => void} options.ontakeover  This tab should take the lead.
   * @param {() => void} options.ongiveup  There is no leader, and this tab cannot take the lead.
   */
  constructor(tab, { hasQueue, catchUp, post, ontakeover, ongiveup }) {
    this.#tab = tab;
    this.#hasQueue = hasQueue;
    this.#catchUp = catchUp;
    this.#post = post;
    this.#ontakeover = ontakeover;
    this.#ongiveup = ongiveup;
    this.#deliveredAt = tab.clock.now();
  }

  start() {
    this.firstPoll = this.#askServer();
    this.#join();
  }

  stop() {
    this.#isStopped = true;
    this.#cancelWait();
    this.#request?.abort();
  }

  /** The pets of the tab have changed: an answer for the pets before is of no use. */
  restart() {
    this.#request?.abort();
    this.start();
  }

  /** There is no leader any more. */
  leaderless() {
    this.#leader = "";
    this.#join();
  }

  /** @param {TabMessage} message */
  receive(message) {
    if (message.kind !== "join" && message.kind !== "leave") this.#rivalJoinedAt = -Infinity;
    switch (message.kind) {
      case "lead":
        this.#leader = message.leader;
        return this.#join();
      case "resign":
        return message.leader === this.#leader ? this.leaderless() : undefined;
      case "rejoin":
        return message.leader === this.#leader ? this.#join() : undefined;
      case "welcome":
        return message.to === this.#tab.id ? this.#welcomed(message) : this.#overheard(message);
      case "message":
        return message.leader === this.#leader ? this.#relayed(message) : undefined;
      case "state":
        return message.leader === this.#leader ? this.#show(message.state) : undefined;
      case "join":
        return this.#rivalJoined(message.from);
    }
  }

  /**
   * Passes an event of this page to the leader. If the leader is asleep, this tab takes over.
   * @param {PageEvent} event
   */
  handle(event) {
    // First, so that the leader knows whether the page is hidden.
    if (event !== "offline") this.#join();
    this.#post({ kind: "page-event", event });
  }

  #join() {
    if (this.#isStopped) return;
    const { id: from, cursor: since, pets, isHidden } = this.#tab;
    this.#wasHidden = isHidden;
    this.#awaitsReply = true;
    this.#joinedAt = this.#tab.clock.now();
    if (Math.abs(this.#tab.clock.now() - this.#rivalJoinedAt) < this.#replyLimitMs) this.#yield();
    else this.#wait(this.#replyLimitMs, () => this.#takeOver());
    // Last: the leader's own page has its reply before this returns.
    this.#post({ kind: "join", from, since, pets, isHidden });
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
  #welcomed({ leader, pets, state, hello, since: asked, position, changes, isHidden }) {
    this.#leader = leader;
    this.firstPoll = undefined;
    this.filter = pets;
    if (this.#isSilent() && (state.phase === "up" || (isHidden && !this.#tab.isHidden))) {
      // Counts as no reply: this tab takes over when the time limit ends, unless something is delivered.
      this.#joinedAt = -Infinity;
      return;
    }
    const { cursor } = this.#tab;
    this.#awaitsReply = false;
    this.#isCovered = covers(pets, this.#tab.pets);
    this.#show(state);
    if (!this.#isCovered) return this.#awaitCover(state);
    this.#takeHello(hello);
    this.#awaitMessage();
    // A leader that was replaced may reply late, with changes of an epoch that this page has left since it asked.
    const hasAll = changes !== null && this.#tab.takeAll(changes, asked);
    // If this tab is ahead, the leader will receive the same changes soon.
    this.#isBehind = !hasAll && !isNewer(cursor, position);
    if (!this.#isBehind) {
      this.#joinedAt = -Infinity;
      this.#askedFor = null;
    } else if (cursor !== asked) this.#join();
    else if (!this.#request && this.#askedFor === cursor) this.#takeOver();
    else if (!this.#request) this.#askServer();
  }

  /** The leader widens its connection now, unless it is frozen. @param {ConnectionState} state */
  #awaitCover({ phase }) {
    this.#joinedAt = -Infinity;
    if (phase === "up") this.#wait(JOIN_LIMIT_MS, () => this.#takeOver());
    else this.#awaitMessage();
  }

  /** @param {ConnectionState} state  Of the leader's connection. */
  #show(state) {
    this.#tab.show(this.#isCovered || state.phase !== "up" ? state : { phase: "connecting" });
  }

  /**
   * Takes the hello of the leader's connection, once. Its server time is outdated and left out.
   * @param {Message | null} hello
   */
  #takeHello(hello) {
    if (!hello || this.#hasHello) return;
    const { server_time: _, ...rest } = hello;
    this.#hasHello = true;
    if (rest.heartbeat_ms > 0) this.#tab.heartbeatMs = rest.heartbeat_ms;
    this.#tab.receive(rest);
  }

  /** @param {Relay} relay */
  #relayed({ pets, after, message }) {
    const wasCovered = this.#isCovered;
    this.filter = pets;
    this.#isCovered = covers(pets, this.#tab.pets);
    if (!this.#isCovered) return wasCovered ? this.#join() : undefined;
    const wasSilent = this.#isSilent();
    this.#awaitsReply = false;
    this.#hasHello ||= message.type === "hello";
    this.#deliveredAt = this.#tab.clock.now();
    if (message.heartbeat_ms > 0) this.#tab.heartbeatMs = message.heartbeat_ms;
    const order = this.#tab.take(message, after);
    this.#awaitMessage();
    // Before its hello, a connection may have received more than the one that it replaces has relayed.
    const isGap = order === "gap" || (message.type === "hello" && !hasReached(this.#tab.cursor, after));
    const isUnknown = !wasCovered || this.#wasHidden !== this.#tab.isHidden;
    if (isUnknown || ((isGap || wasSilent) && !this.#isJoining())) this.#join();
  }

  /** Requests what this page is missing. */
  #askServer() {
    const request = new AbortController();
    const { cursor, pets } = this.#tab;
    const answer = this.#catchUp.run(cursor, request.signal, pets);
    this.#request = request;
    this.#askedFor = cursor;
    this.#takeAnswer(answer, cursor, request);
    return answer;
  }

  /** @param {Promise<Answer>} answer @param {string} cursor @param {AbortController} request */
  async #takeAnswer(answer, cursor, request) {
    const { messages } = await answer.catch(() => ({ messages: [] }));
    if (request.signal.aborted) return;
    this.#request = null;
    // Only what advances the page: the rest says nothing about the leader's connection.
    const advances = (/** @type {Message} */ { type, cursor: next }) => type === "snapshot" || isNewer(next, cursor);
    this.#tab.takeAll(messages.filter(advances), cursor);
    if (this.#isBehind) this.#join();
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
    // The connection of this tab itself notices its own silence.
    if (this.#leader === this.#tab.id) return false;
    return Math.abs(this.#tab.clock.now() - this.#deliveredAt) >= this.#silentMs;
  }

  get #silentMs() {
    const { heartbeatMs } = this.#tab;
    return Math.max(heartbeatMs * SILENT_HEARTBEATS, heartbeatMs + LATE_MS);
  }

  #takeOver() {
    this.#wait(TAKE_OVER_LIMIT_MS, this.#ongiveup);
    this.#ontakeover();
  }

  get #replyLimitMs() {
    const isVacant = this.#leader === "" && !this.#hasQueue();
    return Math.min(isVacant ? VACANT_LIMIT_MS : REPLY_LIMIT_MS, this.#tab.heartbeatMs / 8);
  }

  /**
   * Starts the only timer of this tab, which replaces the one before.
   * @param {number} delayMs
   * @param {() => void} act
   */
  #wait(delayMs, act) {
    this.#cancelWait();
    // The page may stop the connection while it receives a message.
    if (!this.#isStopped) this.#cancelWait = this.#tab.clock.after(delayMs, act);
  }
}
