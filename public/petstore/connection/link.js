// @ts-check
/**
 * A transport that won a race, for as long as its messages keep arriving in time.
 *
 * The server sends at least one message per heartbeat. A link that is silent for much longer is dead, even if the browser
 * reports no error, and ends like any other. So does a link that lost a message, before anything newer is passed on.
 */
import { isNewer, isSameEpoch, parseCursor } from "../protocol/cursor.js";
import { Liveness } from "./liveness.js";
import { isGap, isUnseen } from "../protocol/message-order.js";
import { SnapshotAssembler } from "../transports/snapshot-assembler.js";
import { noop } from "../transports/transport.js";
/** @import { Message } from "../protocol/message.js" */
/** @import { Parts, Win } from "./link-factory.js" */

/**
 * @typedef {object} LinkEnd
 * @property {"bye" | "died" | "silent" | "lag" | "gap"} why  `bye`: the server ended it, which says nothing about the
 *   transport. `lag`: messages arrive late but are still used; the link delivers until it is stopped. `gap`: a message is
 *   missing.
 * @property {number} [retryMs]  How long the server asked the client to stay away.
 */

/**
 * A link that delivered a message this long after its start was useful. Being open does not count: some networks pass
 * `hello` and hold back the rest, others kill the connection a moment later, or after five seconds.
 */
const USEFUL_MS = 6_000;

/** Extra time for messages that queued up while the page was asleep or busy. */
const GRACE_MS = 1_000;

/** After a hello of another epoch, the snapshot or its next part must arrive within this time. */
const SNAPSHOT_LIMIT_MS = 2_000;

export class Link {
  /** @type {(message: Message) => void} */
  onmessage = noop;
  /** @type {(end: LinkEnd) => void} Called once, and not after `stop`. */
  onend = noop;
  name;
  transport;
  #clock;
  #sleepDetector;
  #eventLoop;
  #serverClock;
  #liveness;
  #hello;
  #snapshots = new SnapshotAssembler();
  /** The cursor that the link was opened with. */
  #since;
  /** The cursor of the newest message; "" before the first one. */
  #cursor = "";
  /** The cursor before the current message. */
  #previousCursor = "";
  #startedMs;
  #receivedMs;
  /** The time of day of the newest message, which also advances while the machine sleeps. */
  #receivedAt;
  #isMarkedSuspect = false;
  #isSnapshotDue = false;
  #hasEnded = false;
  #cancelTimeout = noop;

  /**
   * @param {Pick<Parts, "clock" | "sleepDetector" | "eventLoop" | "serverClock"> &
   *   { win: Win }} parts
   */
  constructor({ clock, sleepDetector, eventLoop, serverClock, win }) {
    this.#clock = clock;
    this.#sleepDetector = sleepDetector;
    this.#eventLoop = eventLoop;
    this.#serverClock = serverClock;
    this.name = win.transport.name;
    this.transport = win.transport;
    this.#hello = win.hello;
    this.#since = win.since;
    this.#liveness = new Liveness({ name: win.transport.name, serverClock });
    this.#startedMs = this.#receivedMs = clock.elapsed();
    this.#receivedAt = clock.now();
  }

  /** The longest silence of a live link. */
  get silenceLimitMs() {
    return this.#liveness.silenceLimitMs;
  }

  /** Starts with the hello that won the race, which is checked and not passed on. */
  start() {
    this.transport.onmessage = (message) => this.#receive(message);
    this.transport.onstate = (state, info) => {
      if (state === "closed") this.#end({ why: info?.retryMs === undefined ? "died" : "bye", ...info });
    };
    this.#check(this.#hello);
  }

  stop() {
    this.#hasEnded = true;
    this.#cancelTimeout();
    this.transport.onmessage = this.transport.onstate = noop;
    this.transport.close();
  }

  wasUseful() {
    return this.#receivedMs - this.#startedMs >= USEFUL_MS;
  }

  /** Returns true if the link has delivered everything up to the cursor. @param {string} cursor */
  hasReached(cursor) {
    return !isNewer(cursor, this.#cursor);
  }

  /**
   * @param {Message} message  The current message of this link.
   * @param {string} cursor  The cursor of the page.
   */
  isUnseen(message, cursor) {
    const isFirst = this.#previousCursor === "";
    return isUnseen(message, { cursor, since: this.#previousCursor || this.#since, isFirst });
  }

  /** The browser reports that the network is gone. The next message clears the mark. */
  markSuspect() {
    this.#isMarkedSuspect = true;
  }

  /** Returns true if the link was silent for longer than a heartbeat, or marked since its last message. */
  isSuspect() {
    // A clock that was set back makes the difference negative: the silence is unknown, so the link is suspect.
    return this.#isMarkedSuspect || Math.abs(this.#clock.now() - this.#receivedAt) > this.#liveness.heartbeatMs;
  }

  /** @param {Message} message */
  #receive(message) {
    if (message.type === "bye") return this.#end({ why: "bye", retryMs: message.retry_ms });
    if (isGap(message, this.#cursor || this.#since)) return this.#end({ why: "gap" });
    const complete = this.#snapshots.add(message);
    if (complete?.type === "snapshot") this.#isSnapshotDue = false;
    const isInTime = this.#check(message);
    if (complete) this.#deliver(complete);
    if (!isInTime) this.#end({ why: "lag" });
  }

  /** @param {Message} message */
  #deliver(message) {
    this.#previousCursor = this.#cursor;
    const isAhead = message.type === "snapshot" || isNewer(message.cursor, this.#cursor);
    if (message.type !== "hello" && message.cursor && isAhead) this.#cursor = message.cursor;
    this.onmessage(message);
  }

  /**
   * Records the message and restarts the timeout.
   * @param {Message} message
   * @returns {boolean} True if it came in time.
   */
  #check(message) {
    this.#receivedMs = this.#clock.elapsed();
    this.#receivedAt = this.#clock.now();
    this.#isMarkedSuspect = false;
    if (message.type === "hello" && parseCursor(message.cursor)) {
      this.#isSnapshotDue = !isSameEpoch(message.cursor, this.#cursor || this.#since);
    }
    this.#serverClock.sync(message.server_time, this.transport.roundTripMs);
    this.#eventLoop.probe();
    const load = { awakeMs: this.#sleepDetector.awakeMs(), saturatedMs: this.#eventLoop.saturatedMs() };
    const isInTime = this.#liveness.receive(message, load);
    if (!this.#hasEnded) this.#startTimeout(this.#isSnapshotDue ? SNAPSHOT_LIMIT_MS : this.#liveness.timeoutMs);
    return isInTime;
  }

  /** @param {number} timeoutMs @param {boolean} [isGrace] */
  #startTimeout(timeoutMs, isGrace = false) {
    this.#cancelTimeout();
    this.#cancelTimeout = this.#clock.after(timeoutMs, () => {
      const why = this.#isSnapshotDue ? "gap" : this.#liveness.timeoutReason;
      if (this.#isBacklogged()) this.#startTimeout(GRACE_MS);
      else if (isGrace || this.#sleepDetector.awakeMs() >= timeoutMs) this.#end({ why });
      else this.#startTimeout(GRACE_MS, true);
    });
  }

  /** Returns true if the next message may already wait for this busy page. Holds no longer than the silence limit. */
  #isBacklogged() {
    const silentMs = this.#clock.elapsed() - this.#receivedMs;
    return this.#eventLoop.saturatedMs() > 0 && silentMs < this.silenceLimitMs;
  }

  /** @param {LinkEnd} end */
  #end(end) {
    if (this.#hasEnded) return;
    if (end.why === "lag") this.#hasEnded = true;
    else this.stop();
    this.#cancelTimeout();
    this.onend(end);
  }
}
