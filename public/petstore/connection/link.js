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
import { SilenceTimer } from "./silence-timer.js";
import { SnapshotAssembler } from "../transports/snapshot-assembler.js";
import { noop } from "../transports/transport.js";
/** @import { Message } from "../protocol/message.js" */
/** @import { Parts, Win } from "./link-factory.js" */

/**
 * @typedef {object} LinkEnd
 * @property {"bye" | "died" | "silent" | "network" | "lag" | "gap"} why  `bye`: the server ended it, which says nothing
 *   about the transport. `network`: it delivered, and did not answer a probe. `lag`: messages arrive late but are still used;
 *   the link delivers until it is stopped. `gap`: a message is missing.
 * @property {number} [retryMs]  How long the server asked the client to stay away.
 */

/**
 * A link that delivered a message this long after its start was useful. Being open does not count: some networks pass
 * `hello` and hold back the rest, others kill the connection a moment later, or after five seconds.
 */
const USEFUL_MS = 6_000;

/**
 * Silence is unusual if it lasts this many times as long as any in the last minute or so, but at least this long: then the
 * network may be another one, of which not every browser notifies the page.
 */
const UNUSUAL_FACTOR = 3;
const UNUSUAL_MS = 1_500;

/** How much the longest silence counts after one more message. */
const GAP_DECAY = 0.9;

/** A WebSocket can be asked for a sign of life for a few bytes, so it is asked after this many heartbeats. */
const OVERDUE_HEARTBEATS = 1.2;

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
  #heartbeat;
  #liveness;
  #silence;
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
  /** The longest silence between the last messages. */
  #longestGapMs;
  /** The interval that the server was last asked for. */
  #askedMs;

  /**
   * @param {Pick<Parts, "clock" | "sleepDetector" | "eventLoop" | "serverClock" | "heartbeat"> &
   *   { win: Win, pollMs: () => number }} parts  `pollMs` returns how long a poll takes on this network; 0 if unknown.
   */
  constructor({ clock, sleepDetector, eventLoop, serverClock, heartbeat, win, pollMs }) {
    this.#clock = clock;
    this.#sleepDetector = sleepDetector;
    this.#eventLoop = eventLoop;
    this.#serverClock = serverClock;
    this.#heartbeat = heartbeat;
    this.#askedMs = heartbeat.currentMs;
    this.name = win.transport.name;
    this.transport = win.transport;
    this.#hello = win.hello;
    this.#since = win.since;
    this.#liveness = new Liveness({ name: win.transport.name, serverClock, pollMs });
    this.#longestGapMs = this.#liveness.heartbeatMs;
    this.#startedMs = this.#receivedMs = clock.elapsed();
    this.#receivedAt = clock.now();
    this.#silence = new SilenceTimer({ clock, sleepDetector, isBacklogged: () => this.#isBacklogged() });
    this.#silence.onunusual = () => this.#probe();
    this.#silence.onsilent = (isAnswerMissing) => this.#endSilent(isAnswerMissing);
  }

  get heartbeatMs() {
    return this.#liveness.heartbeatMs;
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
    this.#silence.stop();
    this.transport.onmessage = this.transport.onstate = noop;
    this.transport.close();
  }

  /** Returns true if its end says nothing against the transport. */
  wasUseful() {
    return !this.#liveness.isBuffered && this.#receivedMs - this.#startedMs >= USEFUL_MS;
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
    return this.#isMarkedSuspect || Math.abs(this.#clock.now() - this.#receivedAt) > this.heartbeatMs;
  }

  /**
   * Ends the link within two seconds unless it delivers something: the network may be another one.
   * @param {boolean} isNetworkNew  False if the page only became visible: then silence must make it likely.
   */
  probe(isNetworkNew) {
    this.#adjustHeartbeat();
    const isQuiet = this.#clock.elapsed() - this.#receivedMs >= UNUSUAL_MS;
    if (isNetworkNew || isQuiet || this.transport.send) this.#probe();
  }

  /** @param {Message} message */
  #receive(message) {
    if (message.type === "bye") return this.#end({ why: "bye", retryMs: message.retry_ms });
    if (isGap(message, this.#reached)) return this.#end({ why: "gap" });
    const complete = this.#snapshots.add(message);
    if (complete?.type === "snapshot") this.#isSnapshotDue = false;
    const isInTime = this.#check(message);
    if (complete) this.#deliver(complete);
    if (!isInTime) this.#end({ why: "lag" });
    if (!this.#hasEnded) this.#adjustHeartbeat();
  }

  /** The cursor up to which the link has delivered everything. */
  get #reached() {
    return this.#cursor || this.#since;
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
    const now = this.#clock.elapsed();
    this.#longestGapMs = Math.max(now - this.#receivedMs, this.#longestGapMs * GAP_DECAY);
    this.#receivedMs = now;
    this.#receivedAt = this.#clock.now();
    this.#isMarkedSuspect = false;
    if (message.type === "hello" && parseCursor(message.cursor)) {
      this.#isSnapshotDue = !isSameEpoch(message.cursor, this.#reached);
    }
    this.#serverClock.sync(message.server_time, this.transport.roundTripMs);
    this.#eventLoop.probe();
    const load = { awakeMs: this.#sleepDetector.awakeMs(), saturatedMs: this.#eventLoop.saturatedMs() };
    const isInTime = this.#liveness.receive(message, load);
    if (!this.#hasEnded) this.#silence.restart(this.#limitMs, this.#unusualMs);
    return isInTime;
  }

  /** The longest silence from now on. */
  get #limitMs() {
    return this.#isSnapshotDue ? SNAPSHOT_LIMIT_MS : this.#liveness.timeoutMs;
  }

  get #unusualMs() {
    // Those who follow the log would all ask the server in the same moment. Over SSE, the follow-up to each message shows
    // earlier that something is wrong.
    if (this.transport.log || this.name === "sse") return Infinity;
    const unusualMs = Math.max(UNUSUAL_MS, this.#longestGapMs * UNUSUAL_FACTOR);
    return this.transport.send ? Math.min(unusualMs, this.heartbeatMs * OVERDUE_HEARTBEATS) : unusualMs;
  }

  /** Asks for a sign of life: a WebSocket with a message, the others with a new request. */
  #probe() {
    if (this.#hasEnded) return;
    if (!this.transport.send) this.transport.open(this.#reached);
    else if (!this.transport.send({ do: "ping" })) return;
    if (!this.#hasEnded) this.#silence.expectAnswer();
  }

  /** Asks for another interval once the page is hidden or visible. Only over WebSocket it can be changed. */
  #adjustHeartbeat() {
    const { currentMs } = this.#heartbeat;
    if (currentMs === this.#askedMs) return;
    if (this.transport.send?.({ do: "heartbeat", heartbeat_ms: currentMs })) this.#askedMs = currentMs;
  }

  /** @param {boolean} isAnswerMissing */
  #endSilent(isAnswerMissing) {
    const isSilent = this.#clock.elapsed() - this.#receivedMs >= this.heartbeatMs;
    // Before a heartbeat is due, only the answer to a probe is missing: then the network is probably another one.
    if (isAnswerMissing) this.#end({ why: isSilent ? "silent" : "network" });
    else this.#end({ why: this.#isSnapshotDue ? "gap" : this.#liveness.timeoutReason });
  }

  /** Returns true if the next message may already wait for this busy page. Holds no longer than the silence limit. */
  #isBacklogged() {
    const silentMs = this.#clock.elapsed() - this.#receivedMs;
    return this.#eventLoop.saturatedMs() > 0 && silentMs < this.silenceLimitMs;
  }

  /** @param {LinkEnd} end */
  #end(end) {
    if (this.#hasEnded) return;
    if (end.why === "died" || end.why === "silent") this.#recordLoss();
    if (end.why === "lag") this.#hasEnded = true;
    else this.stop();
    this.#silence.stop();
    this.onend(end);
  }

  /** Some networks drop a connection that is silent for a while. One that was busy was not dropped for that. */
  #recordLoss() {
    const quietMs = Math.min(this.#clock.elapsed() - this.#receivedMs, this.heartbeatMs);
    const wasQuiet = quietMs >= UNUSUAL_MS && this.#longestGapMs >= this.heartbeatMs / 2;
    if (wasQuiet && this.#sleepDetector.awakeMs() >= quietMs) this.#heartbeat.recordLoss(quietMs);
  }
}
