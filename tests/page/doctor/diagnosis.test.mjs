/** What the network doctor makes of its measurements: each kind of network that was met, and the words for it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { diagnose } from "../../../public/state/doctor/diagnosis.js";
import { askText, findingText, quietText } from "../../../public/state/doctor/diagnosis-text.js";
import { clockOffsetMs } from "../../../public/state/doctor/measurement.js";

const HEARTBEAT_MS = 15_000;
const FACTS = { origin: "https://rescue.example", heartbeatMs: HEARTBEAT_MS };

/** The server's clock is an hour ahead of this one: nothing may depend on their being the same. */
const OFFSET_MS = 3_600_000;
const ASKED_AT = 1_000_000;

/** Something that the server said `sentMs` after the question, and that came after `gotMs`. */
const said = (sentMs, gotMs = sentMs) => ({ serverMs: ASKED_AT + OFFSET_MS + sentMs, receivedAt: ASKED_AT + gotMs });

/** A way that stays open, and works unless the test says otherwise. */
const stream = (way, more = {}) => ({
  way,
  openMs: 20,
  firstMs: 30,
  endedMs: null,
  isAsked: false,
  isKept: true,
  samples: [said(30), said(15_030)],
  refusal: null,
  roundTripMs: null,
  ...more,
});

const CLOSED = { openMs: null, firstMs: null, isKept: false, samples: [] };

/** An answer that is right unless the test says otherwise. */
const answer = (more = {}) => ({
  askedAt: ASKED_AT,
  waitMs: 0,
  tookMs: 10,
  outcome: "answered",
  status: 200,
  contentType: "application/json",
  isOurs: true,
  sample: said(5, 10),
  precisionMs: 0,
  ...more,
});

const NO_ANSWER = { outcome: "failed", status: null, contentType: "", isOurs: false, sample: null };

/** The words for a measurement, and what is asked for. */
function judge(measurement, quiet = null) {
  const finding = diagnose(measurement, OFFSET_MS, HEARTBEAT_MS, quiet);
  return { kind: finding.kind, result: findingText(finding), ask: askText(measurement.way, finding, FACTS) };
}

function assertJudged(measurement, kind, result, ask, quiet) {
  const judged = judge(measurement, quiet);
  assert.equal(judged.kind, kind);
  assert.equal(judged.result, result);
  assert.match(judged.ask, ask);
}

const NOTHING = /^$/;

test("a way on which messages come in time, and go on coming, works", () => {
  for (const way of ["ws", "sse"]) assertJudged(stream(way), "works", "Works.", NOTHING);
  assertJudged({ way: "poll", answers: [answer(), answer({ waitMs: 15_000 }), answer()] }, "works", "Works.", NOTHING);
  assertJudged({ way: "short", answers: [answer(), answer({ status: 304 })] }, "works", "Works.", NOTHING);
});

test("a WebSocket that never opens is refused, or not even that", () => {
  const ask = /^Please allow WebSocket upgrade \(HTTP 101\) to rescue\.example: .*Upgrade: websocket/;
  assertJudged(stream("ws", { ...CLOSED, endedMs: 12 }), "refused", "Blocked: refused.", ask);
  assertJudged(stream("ws", CLOSED), "unanswered", "Blocked: no answer, not even a refusal.", ask);
});

test("a WebSocket whose frames are eaten opens, and nothing comes", () => {
  const eaten = stream("ws", { firstMs: null, isKept: false, samples: [] });
  const ask = /^Please pass WebSocket frames from rescue\.example on at once and unchanged/;
  assertJudged(eaten, "silent", "Blocked: it opens, and then nothing comes through.", ask);
});

test("a WebSocket that is killed says after how long", () => {
  const killed = stream("ws", { endedMs: 320, isKept: false, samples: [said(30)] });
  const ask = /^Please do not cut WebSocket connections .* at least every 15 s/;
  assertJudged(killed, "cut", "Blocked: cut off after 300 ms.", ask);
  const cut = stream("sse", { endedMs: 5_020, isKept: false, samples: [said(30)] });
  assertJudged(cut, "cut", "Blocked: cut off after 5 s.", /^Please do not cut responses of type text\/event-stream/);
});

test("an SSE stream that is buffered connects, and is silent", () => {
  const buffered = stream("sse", { firstMs: null, isKept: false, samples: [] });
  const ask = /^Please do not buffer responses of type text\/event-stream from rescue\.example/;
  assertJudged(buffered, "silent", "Blocked: it opens, and then nothing comes through.", ask);
  const headHeld = stream("sse", { ...CLOSED, refusal: answer({ ...NO_ANSWER, outcome: "unanswered" }) });
  assertJudged(headHeld, "unanswered", "Blocked: no answer, not even a refusal.", ask);
});

test("an SSE stream whose first message comes and no other is not taken for one that works", () => {
  const stalled = stream("sse", { isKept: false, samples: [said(30)] });
  assertJudged(stalled, "stalled", "Blocked: it begins, and then nothing more comes through.", /^Please do not buffer/);
});

test("an SSE stream each message of which waits for the next is held back, also where hello was pushed on at once", () => {
  const ask = /^Please do not hold back .* Antivirus programs that scan web traffic do this/;
  const words = "Delayed: each message is held back until the next one comes, here for 15 s.";
  assertJudged(stream("sse", { firstMs: 15_020, samples: [said(30, 15_020)] }), "held", words, ask);
  assertJudged(stream("sse", { firstMs: 280, samples: [said(30, 280), said(280, 15_280)] }), "held", words, ask);
});

test("messages that come seconds late are late, and a second is nothing to speak of", () => {
  const late = (way, ms) => stream(way, { samples: [said(30, 30 + ms), said(15_030, 15_030 + ms)] });
  assertJudged(late("ws", 4_000), "late", "Delayed: messages come 4 s late.", /^Please pass WebSocket frames/);
  assertJudged(late("sse", 4_000), "late", "Delayed: messages come 4 s late.", /^Please do not hold back/);
  assert.equal(judge(late("sse", 2_900)).kind, "works");
  assert.equal(judge(late("sse", 25_000)).kind, "late", "that is no waiting for the next heartbeat");
});

test("a first message that is late counts also before the server's time is known", () => {
  const measurement = stream("ws", { firstMs: 4_020, samples: [{ serverMs: null, receivedAt: ASKED_AT + 4_020 }] });
  assert.equal(diagnose(measurement, null, HEARTBEAT_MS, null).kind, "late");
});

test("an SSE request that is refused says with what, and who answers in the server's place", () => {
  const refusedWith = (status, more = {}) =>
    stream("sse", { ...CLOSED, endedMs: 12, refusal: answer({ status, isOurs: false, ...more }) });
  const ask = /^Please allow GET requests to https:\/\/rescue\.example\/live\/sse/;
  assertJudged(refusedWith(403), "refused", "Blocked: refused with HTTP 403.", ask);
  for (const more of [NO_ANSWER, { ...NO_ANSWER, outcome: "unanswered" }, { status: 200, isOurs: true }]) {
    assertJudged(refusedWith(null, more), "refused", "Blocked: refused.", ask);
  }
  assertJudged(
    refusedWith(200, { contentType: "text/html" }),
    "foreign",
    "Blocked: something else answers in the site's place (HTTP 200, text/html).",
    /^Please let https:\/\/rescue\.example\/live\/sse through to the site/,
  );
});

test("a poll that is answered with an old answer is cached", () => {
  const again = answer({ askedAt: ASKED_AT + 15_000, sample: said(5, 15_010) });
  const words = "Blocked: an old answer comes back, 15 s older than the question.";
  const ask = /^Please do not keep answers from below https:\/\/rescue\.example\/live\//;
  assertJudged({ way: "poll", answers: [answer(), again] }, "cached", words, ask);
});

test("an answer whose time is told in whole seconds is not old for that", () => {
  const state = (ageMs) => answer({ precisionMs: 2_000, sample: said(-ageMs, 10) });
  assert.equal(judge({ way: "short", answers: [state(1_990)] }).kind, "works");
  assert.equal(judge({ way: "short", answers: [state(3_000)] }).kind, "cached");
});

test("an answer that travelled for long was not made before its question", () => {
  assert.equal(judge({ way: "poll", answers: [answer({ tookMs: 8_000, sample: said(5, 8_000) })] }).kind, "works");
});

test("a poll that may not wait is cut off, with a proxy's own words or without, or asked anew for ever", () => {
  const ask = /^Please let a request to https:\/\/rescue\.example\/live\/poll wait up to 30 s/;
  const waiting = { waitMs: 15_000, tookMs: 5_000 };
  const closed = answer({ ...NO_ANSWER, ...waiting });
  assertJudged({ way: "poll", answers: [answer(), closed] }, "cut", "Blocked: cut off after 5 s.", ask);
  const gaveUp = answer({ ...waiting, status: 504, isOurs: false });
  assertJudged({ way: "poll", answers: [answer(), gaveUp] }, "cut", "Blocked: cut off after 5 s with HTTP 504.", ask);
  const unheard = answer({ ...NO_ANSWER, ...waiting, outcome: "unanswered" });
  const words = "Blocked: a question that waits is not answered.";
  assertJudged({ way: "poll", answers: [answer(), unheard] }, "unheard", words, ask);
});

test("questions that are refused, answered by a login page, or not answered", () => {
  const ask = /^Please allow GET requests to https:\/\/rescue\.example\/live\/state\.$/;
  const only = (more) => ({ way: "short", answers: [answer({ isOurs: false, ...more })] });
  assertJudged(only({ status: 451 }), "refused", "Blocked: refused with HTTP 451.", ask);
  assertJudged(only(NO_ANSWER), "refused", "Blocked: refused.", ask);
  assertJudged(only({ ...NO_ANSWER, outcome: "unanswered" }), "unanswered", "Blocked: no answer, not even a refusal.", ask);
  const words = "Blocked: something else answers in the site's place (HTTP 200, text/html).";
  assertJudged(only({ contentType: "text/html" }), "foreign", words, /a login page or a filter answers in its place/);
});

test("a server that is full or stopping is nobody's network", () => {
  const full = stream("sse", { ...CLOSED, endedMs: 12, refusal: answer({ status: 503, isOurs: false }) });
  assertJudged(full, "busy", "The server has no place free right now. Please try again in a minute.", NOTHING);
  const stopping = stream("ws", { isAsked: true, endedMs: null });
  const words = "The server is being stopped or restarted. Please try again in a minute.";
  assertJudged(stopping, "stopping", words, NOTHING);
});

test("nothing is asked for an ordinary request: whoever blocks it blocks the site", () => {
  assert.equal(judge({ way: "http", answers: [answer({ status: 403, isOurs: false })] }).ask, "");
});

test("a stream or a poll that does not last a minute is cut, and a socket without heartbeats is not judged by that", () => {
  const ended = (way) => ({ way, ms: 30_000, outcome: "ended" });
  assertJudged(stream("sse"), "cut", "Blocked: cut off after 30 s.", /^Please do not cut responses/, ended("sse"));
  const poll = { way: "poll", answers: [answer()] };
  assertJudged(poll, "cut", "Blocked: cut off after 30 s.", /wait up to 30 s/, ended("poll"));
  assert.equal(judge(stream("sse"), { way: "sse", ms: 20_000, outcome: "dead" }).kind, "stalled");
  assert.equal(judge(stream("ws"), ended("ws")).kind, "works");
  assert.equal(judge(stream("sse"), { way: "sse", ms: 65_000, outcome: "survived" }).kind, "works");
});

test("what became of a connection that was left alone is told in words", () => {
  const told = (way, ms, outcome) => quietText({ way, ms, outcome }, FACTS);
  assert.equal(told("ws", 65_000, "survived"), "Still open after 65 s.");
  assert.equal(told("poll", 65_000, "survived"), "Still answered after 65 s.");
  assert.equal(told("sse", 30_400, "dead"), "Dead after 30 s, though it looks open.");
  assert.equal(told("sse", 60_000, "ended"), "Closed after 60 s.");
  assert.equal(told("ws", 60_000, "ended"), "Closed after 60 s without a word; heartbeats keep live ones open.");
  assert.equal(told("ws", 20_000, "ended"), "Closed after 20 s.");
});

test("the clocks' difference is taken from the message that took the least time, of whichever way", () => {
  const slow = stream("ws", { samples: [said(0, 900), said(0, 400)] });
  const quick = { way: "poll", answers: [answer({ sample: said(100, 105) }), answer({ sample: null })] };
  const silent = stream("sse", { samples: [{ serverMs: null, receivedAt: ASKED_AT }] });
  assert.equal(clockOffsetMs([slow, quick, silent]), OFFSET_MS - 5);
  assert.equal(clockOffsetMs([silent]), null);
});
