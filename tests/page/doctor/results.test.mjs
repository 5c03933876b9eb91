/** The results of the network doctor for all connection types, and its report. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { reportText } from "../../../public/app/doctor/report.js";
import { summarize } from "../../../public/app/doctor/results.js";
import { spanText } from "../../../public/app/state/time-text.js";
import { FAILED, requests, response, sample, SITE, stream, UNOPENED } from "../support/measurements.mjs";
/** @import { IdleResult, Measurement, ProbeName, RequestResult } from "../../../public/app/doctor/measurement.js" */

const AT = Date.parse("2024-05-01T12:00:00Z");

/** @param {"ws" | "sse"} probe @param {RequestResult | null} [refusal] */
const blocked = (probe, refusal = null) => stream(probe, { ...UNOPENED, endedMs: 9, refusal });
const quick = (fields = {}) => response({ tookMs: 7, ...fields });
const failed = response(FAILED);
const opened = { openMs: 12, firstMs: 20, samples: [sample(20)] };

/** @type {Record<ProbeName, Measurement>} */
const WORKS = {
  http: requests("http", quick()),
  ws: stream("ws", { ...opened, roundTripMs: 3 }),
  sse: stream("sse", opened),
  poll: requests("poll", quick(), quick({ waitMs: 15_000, tookMs: 15_009 })),
  short: requests("short", quick()),
};

/** @type {Record<ProbeName, Measurement>} */
const DOWN = {
  http: requests("http", failed),
  ws: blocked("ws"),
  sse: blocked("sse", failed),
  poll: requests("poll", failed),
  short: requests("short", failed),
};

/** @param {Partial<Record<ProbeName, Measurement>>} measured @param {IdleResult[]} [idle] */
const results = (measured, idle = [], isRunning = false) =>
  summarize(
    {
      measurements: new Map(Object.values(measured).map((measurement) => [measurement.probe, measurement])),
      idleResults: new Map(idle.map((result) => [result.probe, result])),
      isRunning,
    },
    SITE,
  );

test("if everything gets through there is no advice", () => {
  const { rows, summary, advice } = results(WORKS);
  assert.equal(summary, "Everything gets through. Pages are live over WebSocket.");
  assert.deepEqual(rows.map(({ probe, verdict, result }) => [probe, verdict, result]), [
    ["http", "works", "Works."],
    ["ws", "works", "Works."],
    ["sse", "works", "Works."],
    ["poll", "works", "Works."],
    ["short", "works", "Works."],
  ]);
  assert.deepEqual(advice, []);
  assert.equal(rows[1].measured, "open after 12 ms · first message after 20 ms · at most 0 ms late · round trip 3 ms");
  assert.equal(rows[3].measured, "round trip 7 ms · waited 15 s for a response");
});

test("the summary follows from the best connection type that works", () => {
  const { ws, sse, poll, short } = DOWN;
  const summary = (/** @type {Partial<typeof DOWN>} */ broken) => results({ ...WORKS, ...broken }).summary;
  assert.match(summary({ poll }), /^Pages are live over WebSocket\. What is blocked/);
  assert.match(summary({ ws }), /^Pages are live over Server-Sent Events/);
  assert.match(summary({ ws, sse }), /^This network blocks live updates\. Pages check for changes/);
  assert.match(summary({ ws, sse, poll }), /^This network blocks live updates and requests that wait/);
  assert.match(summary({ ws, sse, poll, short }), /^No live updates get through/);
});

test("a server that does not respond is down, and there is no advice about the network", () => {
  const { rows, summary, advice } = results(DOWN);
  assert.match(summary, /^The server does not respond: it is stopped, or this computer is offline/);
  assert.deepEqual(advice, []);
  assert.ok(rows.every(({ verdict }) => verdict === "blocked"));
  const badGateway = response({ status: 502, isFromServer: false });
  const behindProxy = { ...DOWN, http: requests("http", badGateway), sse: blocked("sse", badGateway) };
  assert.equal(results(behindProxy).summary, summary);
});

test("a server that is full or restarting is not blamed on the network, not even for a refused socket", () => {
  const full = response({ status: 503, isFromServer: false });
  const busy = results({ ...WORKS, ws: blocked("ws"), sse: blocked("sse", full), poll: requests("poll", full) });
  assert.match(busy.summary, /^The server is full right now/);
  assert.deepEqual(busy.advice, []);
  const stopping = results({ ...DOWN, ws: stream("ws", { isServerEnd: true }) });
  assert.match(stopping.summary, /^The server is restarting/);
});

test("while a test runs there is advice, but no summary", () => {
  const { rows, summary, advice } = results({ ws: blocked("ws"), http: WORKS.http }, [], true);
  assert.equal(summary, "");
  assert.deepEqual(rows[2], { probe: "sse", verdict: "unknown", result: "Testing…", measured: "", idle: "" });
  assert.equal(rows[1].measured, "ended after 9 ms");
  assert.equal(advice.length, 1);
  const later = results({ short: DOWN.short, ws: blocked("ws"), http: WORKS.http });
  assert.deepEqual(later.advice.map((text) => text.split(" ")[2]), ["WebSocket", "GET"], "in the order of the rows");
  assert.equal(results({}).rows[0].result, "Not finished.");
});

test("a connection that is cut off after half a minute is blocked", () => {
  const { rows, summary } = results({ ...WORKS, ws: blocked("ws") }, [{ probe: "sse", ms: 30_000, outcome: "ended" }]);
  assert.deepEqual([rows[2].verdict, rows[2].idle], ["blocked", "Closed after 30 s."]);
  assert.match(summary, /^This network blocks live updates/);
});

test("a connection type that delays messages has its own verdict", () => {
  const late = stream("sse", { firstMs: 5_000 });
  assert.equal(results({ ...WORKS, sse: late }).rows[2].verdict, "delayed");
});

const CONDITIONS = {
  url: SITE.url,
  at: AT,
  aheadMs: -90_000,
  browser: "Browser/1.0",
  protocol: "http/1.1",
  chaos: "",
  note: "Stopped.",
};

test("the report contains the conditions, the results and the advice", () => {
  const measured = { ...WORKS, ws: blocked("ws") };
  const report = reportText(results(measured, [{ probe: "sse", ms: 65_000, outcome: "survived" }]), CONDITIONS);
  assert.equal(
    report,
    `Network doctor: https://rescue.example
Time: 2024-05-01T12:00:00.000Z, the server's clock is 90 s behind this one
Browser: Browser/1.0
Page loaded over: http/1.1

Ordinary request: Works.
  round trip 7 ms
WebSocket: Blocked: refused.
  ended after 9 ms
Server-Sent Events: Works.
  open after 12 ms · first message after 20 ms · at most 0 ms late
  Idle: Still open after 65 s.
Long polling: Works.
  round trip 7 ms · waited 15 s for a response
Short polling: Works.
  round trip 7 ms

Pages are live over Server-Sent Events. WebSocket is blocked, which makes no difference to readers.

What to ask for:
- Please allow WebSocket upgrades (HTTP 101) to rescue.example: pass "Connection: Upgrade" and "Upgrade: websocket" on to \
/live/ws, and the 101 response back.
`,
  );
});

test("the report of a test that was stopped, on a simulated network, with equal clocks, says so", () => {
  const report = reportText(results({}), { ...CONDITIONS, aheadMs: 20, protocol: "", chaos: "hold" });
  assert.match(report, /^Time: .*Z, the server's clock is the same$/m);
  assert.match(report, /^Simulated network of the demo: hold$/m);
  assert.match(report, /\n\nStopped\.\n$/);
  assert.doesNotMatch(report, /Page loaded over|What to ask for/);
  assert.match(reportText(results({}), { ...CONDITIONS, aheadMs: null }), /^Time: \S+Z$/m);
});

test("measured times have at most two significant digits below ten seconds", () => {
  const spans = [-3, 0, 0.4, 12.3, 999, 1_000, 1_540, 9_940, 9_960, 65_000];
  assert.deepEqual(spans.map(spanText), ["0 ms", "0 ms", "0 ms", "12 ms", "999 ms", "1 s", "1.5 s", "9.9 s", "10 s", "65 s"]);
});
