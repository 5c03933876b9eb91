/** What the network doctor shows of all ways together, and its report. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { examine } from "../../../public/state/doctor/results.js";
import { reportText } from "../../../public/state/doctor/report.js";
import { spanText } from "../../../public/state/time-text.js";

const FACTS = { origin: "https://rescue.example", heartbeatMs: 15_000 };
const AT = Date.parse("2024-05-01T12:00:00Z");

const stream = (way, more = {}) => ({
  way,
  openMs: 12,
  firstMs: 20,
  endedMs: null,
  isAsked: false,
  isKept: true,
  samples: [{ serverMs: AT + 19, receivedAt: AT + 20 }],
  refusal: null,
  roundTripMs: null,
  ...more,
});
const blocked = (way, refusal = null) =>
  stream(way, { openMs: null, firstMs: null, endedMs: 9, isKept: false, samples: [], refusal });
const answer = (more = {}) => ({
  askedAt: AT,
  waitMs: 0,
  tookMs: 7,
  outcome: "answered",
  status: 200,
  contentType: "application/json",
  isOurs: true,
  sample: { serverMs: AT + 3, receivedAt: AT + 7 },
  precisionMs: 0,
  ...more,
});
const gone = answer({ outcome: "failed", status: null, isOurs: false, sample: null });
const asking = (way, ...answers) => ({ way, answers });

const WORKS = {
  http: asking("http", answer()),
  ws: stream("ws", { roundTripMs: 3 }),
  sse: stream("sse"),
  poll: asking("poll", answer(), answer({ waitMs: 15_000, tookMs: 15_009 })),
  short: asking("short", answer()),
};
const DOWN = {
  http: asking("http", gone),
  ws: blocked("ws"),
  sse: blocked("sse", gone),
  poll: asking("poll", gone),
  short: asking("short", gone),
};

const look = (measured, quiets = [], isRunning = false) =>
  examine(
    {
      measurements: new Map(Object.entries(measured)),
      quiets: new Map(quiets.map((quiet) => [quiet.way, quiet])),
      isRunning,
    },
    FACTS,
  );

test("everything gets through: that is said, and nothing is asked for", () => {
  const { rows, summary, asks } = look(WORKS);
  assert.equal(summary, "Everything gets through. Pages are live over WebSocket.");
  assert.deepEqual(rows.map(({ way, verdict, result }) => [way, verdict, result]), [
    ["http", "works", "Works."],
    ["ws", "works", "Works."],
    ["sse", "works", "Works."],
    ["poll", "works", "Works."],
    ["short", "works", "Works."],
  ]);
  assert.deepEqual(asks, []);
  assert.equal(rows[1].measured, "open after 12 ms · first message after 20 ms · at most 0 ms late · there and back in 3 ms");
  assert.equal(rows[3].measured, "there and back in 7 ms · waited 15 s for an answer");
});

test("what pages do is said by the best way that works", () => {
  const { ws, sse, poll, short } = DOWN;
  const summary = (broken) => look({ ...WORKS, ...broken }).summary;
  assert.match(summary({ poll }), /^Pages are live over WebSocket\. What does not get through/);
  assert.match(summary({ ws }), /^Pages are live over Server-Sent Events/);
  assert.match(summary({ ws, sse }), /^This network holds back live messages\. Pages ask again and again/);
  assert.match(summary({ ws, sse, poll }), /^This network holds back whatever waits\. Pages ask every few seconds/);
  assert.match(summary({ ws, sse, poll, short }), /^Nothing live gets through here/);
});

test("a server that answers nothing is down, and nobody on the way is asked for anything", () => {
  const { rows, summary, asks } = look(DOWN);
  assert.match(summary, /^The server does not answer at all: it is stopped, or this computer has no network/);
  assert.deepEqual(asks, []);
  assert.ok(rows.every(({ verdict }) => verdict === "blocked"));
  const badGateway = answer({ status: 502, isOurs: false });
  const behindProxy = { ...DOWN, http: asking("http", badGateway), sse: blocked("sse", badGateway) };
  assert.equal(look(behindProxy).summary, summary);
});

test("a server without a place is not blamed on the network, for a socket that it refuses neither", () => {
  const full = answer({ status: 503, isOurs: false });
  const { summary, asks } = look({ ...WORKS, ws: blocked("ws"), sse: blocked("sse", full), poll: asking("poll", full) });
  assert.match(summary, /^The server has no place free right now/);
  assert.deepEqual(asks, []);
  const stopping = look({ ...DOWN, ws: stream("ws", { isAsked: true }) });
  assert.match(stopping.summary, /^The server is being stopped or restarted/);
});

test("while something is open the sum is not drawn, and what is asked for so far is", () => {
  const { rows, summary, asks } = look({ ws: blocked("ws"), http: WORKS.http }, [], true);
  assert.equal(summary, "");
  assert.deepEqual(rows[2], { way: "sse", verdict: "unknown", result: "Trying…", measured: "", quiet: "" });
  assert.equal(rows[1].measured, "ended after 9 ms");
  assert.equal(asks.length, 1);
  const late = look({ short: DOWN.short, ws: blocked("ws"), http: WORKS.http });
  assert.deepEqual(late.asks.map((ask) => ask.split(" ")[2]), ["WebSocket", "GET"], "in the order of the rows");
  assert.equal(look({}).rows[0].result, "Not tried to the end.");
});

test("being cut off after half a minute changes the verdict of that way", () => {
  const { rows, summary } = look({ ...WORKS, ws: blocked("ws") }, [{ way: "sse", ms: 30_000, outcome: "ended" }]);
  assert.deepEqual([rows[2].verdict, rows[2].quiet], ["blocked", "Closed after 30 s."]);
  assert.match(summary, /^This network holds back live messages/);
});

test("a way that delays looks like neither", () => {
  const late = stream("sse", { firstMs: 5_000 });
  assert.equal(look({ ...WORKS, sse: late }).rows[2].verdict, "delayed");
});

const CIRCUMSTANCES = {
  origin: FACTS.origin,
  at: AT,
  aheadMs: -90_000,
  browser: "Browser/1.0",
  protocol: "http/1.1",
  chaos: "",
  note: "Stopped.",
};

test("the report says where, when, with what, each way, and what to ask for", () => {
  const measured = { ...WORKS, ws: blocked("ws") };
  const report = reportText(look(measured, [{ way: "sse", ms: 65_000, outcome: "survived" }]), CIRCUMSTANCES);
  assert.equal(
    report,
    `Network doctor: https://rescue.example
Time: 2024-05-01T12:00:00.000Z, the server's clock is 90 s behind this one
Browser: Browser/1.0
Page loaded over: http/1.1

Ordinary request: Works.
  there and back in 7 ms
WebSocket: Blocked: refused.
  ended after 9 ms
Server-Sent Events: Works.
  open after 12 ms · first message after 20 ms · at most 0 ms late
  Left alone: Still open after 65 s.
Long poll: Works.
  there and back in 7 ms · waited 15 s for an answer
Short poll: Works.
  there and back in 7 ms

Pages are live over Server-Sent Events. WebSocket does not get through, which nobody will notice.

What to ask for:
- Please allow WebSocket upgrade (HTTP 101) to rescue.example: pass "Connection: Upgrade" and "Upgrade: websocket" on to \
/live/ws, and the answer 101 back.
`,
  );
});

test("the report of a test that was stopped, on a pretended network, with clocks alike, says so", () => {
  const report = reportText(look({}), { ...CIRCUMSTANCES, aheadMs: 20, protocol: "", chaos: "hold" });
  assert.match(report, /^Time: .*Z, the server's clock is the same$/m);
  assert.match(report, /^Pretended network of the demo: hold$/m);
  assert.match(report, /\n\nStopped\.\n$/);
  assert.doesNotMatch(report, /Page loaded over|What to ask for/);
  assert.match(reportText(look({}), { ...CIRCUMSTANCES, aheadMs: null }), /^Time: \S+Z$/m);
});

test("measured times have two figures at most beyond the unit", () => {
  const spans = [-3, 0, 0.4, 12.3, 999, 1_000, 1_540, 9_940, 9_960, 65_000];
  assert.deepEqual(spans.map(spanText), ["0 ms", "0 ms", "0 ms", "12 ms", "999 ms", "1 s", "1.5 s", "9.9 s", "10 s", "65 s"]);
});
