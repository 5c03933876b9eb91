/** The diagnosis of the network doctor and its texts, for each kind of network that was met. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { diagnose } from "../../../public/app/doctor/diagnosis.js";
import { adviceText, findingText, idleText } from "../../../public/app/doctor/diagnosis-text.js";
import { clockOffsetMs } from "../../../public/app/doctor/measurement.js";
import {
  FAILED,
  HEARTBEAT_MS,
  OFFSET_MS,
  requests,
  response,
  sample,
  SENT_AT,
  SITE,
  stream,
  TIMEOUT,
  UNOPENED,
} from "../support/measurements.mjs";
/** @import { IdleResult, Measurement } from "../../../public/app/doctor/measurement.js" */

/** @param {Measurement} measurement @param {IdleResult | null} [idle] */
function judge(measurement, idle = null) {
  const finding = diagnose(measurement, OFFSET_MS, HEARTBEAT_MS, idle);
  const advice = adviceText(measurement.probe, finding, SITE);
  return { kind: finding.kind, result: findingText(finding), advice };
}

/**
 * @param {Measurement} measurement
 * @param {string} kind
 * @param {string} result
 * @param {RegExp} advice
 * @param {IdleResult} [idle]
 */
function assertJudged(measurement, kind, result, advice, idle) {
  const judged = judge(measurement, idle);
  assert.equal(judged.kind, kind);
  assert.equal(judged.result, result);
  assert.match(judged.advice, advice);
}

const NOTHING = /^$/;

test("a connection type whose messages arrive in time, and keep arriving, works", () => {
  for (const probe of /** @type {const} */ (["ws", "sse"])) assertJudged(stream(probe), "works", "Works.", NOTHING);
  const poll = requests("poll", response(), response({ waitMs: 15_000 }), response());
  assertJudged(poll, "works", "Works.", NOTHING);
  assertJudged(requests("short", response(), response({ status: 304 })), "works", "Works.", NOTHING);
});

test("a WebSocket that never opens is refused, or times out", () => {
  const advice = /^Please allow WebSocket upgrades \(HTTP 101\) to rescue\.example: .*Upgrade: websocket/;
  assertJudged(stream("ws", { ...UNOPENED, endedMs: 12 }), "refused", "Blocked: refused.", advice);
  assertJudged(stream("ws", UNOPENED), "timeout", "Blocked: no response.", advice);
});

test("a WebSocket whose frames are dropped is silent", () => {
  const dropped = stream("ws", { firstMs: null, isSustained: false, samples: [] });
  const advice = /^Please pass WebSocket frames from rescue\.example on immediately and unchanged/;
  assertJudged(dropped, "silent", "Blocked: it opens, but no message arrives.", advice);
});

test("a stream that is killed says after how long", () => {
  const killed = stream("ws", { endedMs: 320, isSustained: false, samples: [sample(30)] });
  const advice = /^Please don't cut WebSocket connections .* at least every 15 s/;
  assertJudged(killed, "cut", "Blocked: cut off after 300 ms.", advice);
  const cut = stream("sse", { endedMs: 5_020, isSustained: false, samples: [sample(30)] });
  assertJudged(cut, "cut", "Blocked: cut off after 5 s.", /^Please don't cut responses of type text\/event-stream/);
});

test("an SSE stream that is buffered opens and is silent, or does not even open", () => {
  const buffered = stream("sse", { firstMs: null, isSustained: false, samples: [] });
  const advice = /^Please don't buffer responses of type text\/event-stream from rescue\.example/;
  assertJudged(buffered, "silent", "Blocked: it opens, but no message arrives.", advice);
  const heldHead = stream("sse", { ...UNOPENED, refusal: response(TIMEOUT) });
  assertJudged(heldHead, "timeout", "Blocked: no response.", advice);
});

test("an SSE stream with a first message and no other is stalled", () => {
  const stalled = stream("sse", { isSustained: false, samples: [sample(30)] });
  assertJudged(stalled, "stalled", "Blocked: only the first message arrives.", /^Please don't buffer/);
});

test("an SSE stream whose messages wait for the next one is buffered, even if hello was pushed on early", () => {
  const advice = /^Please don't hold back .* Antivirus programs that scan web traffic do this/;
  const text = "Delayed: each message is held back until the next one is sent, here for 15 s.";
  assertJudged(stream("sse", { firstMs: 15_020, samples: [sample(30, 15_020)] }), "buffered", text, advice);
  const pushed = stream("sse", { firstMs: 280, samples: [sample(30, 280), sample(280, 15_280)] });
  assertJudged(pushed, "buffered", text, advice);
});

test("messages are late after some seconds, not after one", () => {
  const late = (/** @type {"ws" | "sse"} */ probe, /** @type {number} */ ms) =>
    stream(probe, { samples: [sample(30, 30 + ms), sample(15_030, 15_030 + ms)] });
  assertJudged(late("ws", 4_000), "late", "Delayed: messages arrive 4 s late.", /^Please pass WebSocket frames/);
  assertJudged(late("sse", 4_000), "late", "Delayed: messages arrive 4 s late.", /^Please don't hold back/);
  assert.equal(judge(late("sse", 2_900)).kind, "works");
  assert.equal(judge(late("sse", 25_000)).kind, "late", "longer than the wait for the next heartbeat");
});

test("a late first message is detected before the server's time is known", () => {
  const measurement = stream("ws", { firstMs: 4_020, samples: [{ serverMs: null, receivedAt: SENT_AT + 4_020 }] });
  assert.equal(diagnose(measurement, null, HEARTBEAT_MS, null).kind, "late");
});

test("an SSE request that is refused says with which status, and whether something else responded", () => {
  const refusedWith = (/** @type {number | null} */ status, fields = {}) =>
    stream("sse", { ...UNOPENED, endedMs: 12, refusal: response({ status, isFromServer: false, ...fields }) });
  const advice = /^Please allow GET requests to https:\/\/rescue\.example\/live\/sse/;
  assertJudged(refusedWith(403), "refused", "Blocked: refused with HTTP 403.", advice);
  for (const fields of [FAILED, TIMEOUT, { status: 200, isFromServer: true }]) {
    assertJudged(refusedWith(null, fields), "refused", "Blocked: refused.", advice);
  }
  assertJudged(
    refusedWith(200, { contentType: "text/html" }),
    "intercepted",
    "Blocked: something else responds instead of this site (HTTP 200, text/html).",
    /^Please let requests to https:\/\/rescue\.example\/live\/sse through to this site/,
  );
});

test("a poll whose second response is the first one is cached", () => {
  const again = response({ sentAt: SENT_AT + 15_000, sample: sample(5, 15_010) });
  const text = "Blocked: a cached response comes back, 15 s older than the request.";
  const advice = /^Please don't cache responses below https:\/\/rescue\.example\/live\//;
  assertJudged(requests("poll", response(), again), "cached", text, advice);
});

test("a response whose time has whole seconds is not cached because of that", () => {
  const state = (/** @type {number} */ ageMs) => response({ precisionMs: 2_000, sample: sample(-ageMs, 10) });
  assert.equal(judge(requests("short", state(1_990))).kind, "works");
  assert.equal(judge(requests("short", state(3_000))).kind, "cached");
});

test("a response that travelled for long is not older than its request", () => {
  assert.equal(judge(requests("poll", response({ tookMs: 8_000, sample: sample(5, 8_000) }))).kind, "works");
});

test("a poll that may not wait is cut off, or times out", () => {
  const advice = /^Please let requests to https:\/\/rescue\.example\/live\/poll wait up to 30 s/;
  const waiting = { waitMs: 15_000, tookMs: 5_000 };
  const closed = response({ ...FAILED, ...waiting });
  assertJudged(requests("poll", response(), closed), "cut", "Blocked: cut off after 5 s.", advice);
  const gaveUp = response({ ...waiting, status: 504, isFromServer: false });
  assertJudged(requests("poll", response(), gaveUp), "cut", "Blocked: cut off after 5 s with HTTP 504.", advice);
  const timeout = response({ ...TIMEOUT, ...waiting });
  const text = "Blocked: requests that wait get no response.";
  assertJudged(requests("poll", response(), timeout), "poll-timeout", text, advice);
});

test("a request that is refused, fails, times out or gets a login page is blocked", () => {
  const advice = /^Please allow GET requests to https:\/\/rescue\.example\/live\/poll\.$/;
  const only = (fields = {}) => requests("short", response({ isFromServer: false, ...fields }));
  assertJudged(only({ status: 451 }), "refused", "Blocked: refused with HTTP 451.", advice);
  assertJudged(only(FAILED), "refused", "Blocked: refused.", advice);
  assertJudged(only(TIMEOUT), "timeout", "Blocked: no response.", advice);
  const text = "Blocked: something else responds instead of this site (HTTP 200, text/html).";
  assertJudged(only({ contentType: "text/html" }), "intercepted", text, /a login page or a filter responds instead/);
});

test("a server that is full or restarting is not a problem of the network", () => {
  const refusal = response({ status: 503, isFromServer: false });
  const full = stream("sse", { ...UNOPENED, endedMs: 12, refusal });
  assertJudged(full, "busy", "The server is full right now. Please try again in a minute.", NOTHING);
  const stopping = stream("ws", { isServerEnd: true, endedMs: null });
  assertJudged(stopping, "stopping", "The server is restarting. Please try again in a minute.", NOTHING);
});

test("there is no advice about an ordinary request: whoever blocks it blocks the whole site", () => {
  assert.equal(judge(requests("http", response({ status: 403, isFromServer: false }))).advice, "");
});

test("SSE or polling that does not survive a minute is cut, and an idle WebSocket does not count", () => {
  /** @returns {IdleResult} */
  const ended = (/** @type {IdleResult["probe"]} */ probe) => ({ probe, ms: 30_000, outcome: "ended" });
  assertJudged(stream("sse"), "cut", "Blocked: cut off after 30 s.", /^Please don't cut responses/, ended("sse"));
  const poll = requests("poll", response());
  assertJudged(poll, "cut", "Blocked: cut off after 30 s.", /wait up to 30 s/, ended("poll"));
  assert.equal(judge(stream("sse"), { probe: "sse", ms: 20_000, outcome: "dead" }).kind, "stalled");
  assert.equal(judge(stream("ws"), ended("ws")).kind, "works");
  assert.equal(judge(stream("sse"), { probe: "sse", ms: 65_000, outcome: "survived" }).kind, "works");
});

test("the result of an idle test is a sentence", () => {
  /** @type {[IdleResult["probe"], number, IdleResult["outcome"], string][]} */
  const cases = [
    ["ws", 65_000, "survived", "Still open after 65 s."],
    ["poll", 65_000, "survived", "Still answered after 65 s."],
    ["sse", 30_400, "dead", "Dead after 30 s, although it looks open."],
    ["sse", 60_000, "ended", "Closed after 60 s."],
    ["ws", 60_000, "ended", "Closed after 60 s without traffic; heartbeats keep live connections open."],
    ["ws", 20_000, "ended", "Closed after 20 s."],
  ];
  for (const [probe, ms, outcome, text] of cases) assert.equal(idleText({ probe, ms, outcome }, SITE), text);
});

test("the difference between the clocks comes from the message that travelled least, over any connection type", () => {
  const slow = stream("ws", { samples: [sample(0, 900), sample(0, 400)] });
  const quick = requests("poll", response({ sample: sample(100, 105) }), response({ sample: null }));
  const silent = stream("sse", { samples: [{ serverMs: null, receivedAt: SENT_AT }] });
  assert.equal(clockOffsetMs([slow, quick, silent]), OFFSET_MS - 5);
  assert.equal(clockOffsetMs([silent]), null);
});
