/** Liveness of a link: lag, buffering, and a page that was asleep or busy. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { beat, failAll, HEARTBEAT_MS, NAMES, START, startConnection, startOnPoll } from "../support/connection.mjs";
import { last } from "../support/fakes.mjs";
import { startOn } from "../support/timed-link.mjs";
/** @import { Message } from "../../../public/petstore/protocol/message.js" */
/** @import { Parts } from "../support/connection.mjs" */

/** Duration of one task of the event loop. */
const TASK_MS = 10;

/** A quarter of a second for the follow-up heartbeat, and three seconds of allowed lag. */
const FOLLOW_LIMIT_MS = 3_250;

for (const name of /** @type {const} */ (["ws", "sse"])) {
  test(`${name} with a message more than three seconds late is left for another`, () => {
    const { clock, link, heartbeat, run, isLeaving } = startOn(name, { random: () => 0 });
    run(5000);
    heartbeat(3000);
    clock.turn(0);
    assert.ok(!isLeaving());
    heartbeat(3010);
    clock.turn(1);
    assert.ok(isLeaving(), "the next race runs beside it");
    assert.equal(link.isOpen, true, "it delivers on until another does");
  });
}

test("a change is timed by its commit, unless it was missed before", () => {
  const { clock, status, run, isLeaving } = startOn("ws", { random: () => 0, waitMs: 9000 });
  run(5000);
  status(2, 6000);
  clock.turn(1);
  assert.ok(!isLeaving(), "committed before the link began: it is late by nature");
  status(3, 4000);
  clock.turn(1);
  assert.ok(isLeaving());
});

test("a restored status is timed by its commit, not by when the status began", () => {
  /** @type {[number, boolean][]} */
  const cases = [
    [0, false],
    [3010, true],
  ];
  for (const [at, isLate] of cases) {
    const { clock, link, run, sent, isLeaving } = startOn("ws", { random: () => 0 });
    run(60_000);
    const restored = { type: "status", cursor: "9f2c41aa-9", pet: 1, status: "eating", since: sent(30_000) };
    link.onmessage({ ...restored, at: sent(at) });
    clock.turn(1);
    assert.equal(isLeaving(), isLate);
  }
});

test("the page uses the late link until another has delivered hello, without a visible effect", () => {
  const { clock, made, link, heartbeat, status, run, phases, types, inUse } = startOn("ws", { random: () => 0 });
  run(7000);
  const told = phases().length;
  heartbeat(4000);
  clock.turn(1);
  status(2);
  assert.equal(types().at(-1), "status");
  assert.equal(phases().length, told);
  last(made.sse).fail();
  last(made.ws).hello();
  assert.equal(link.isOpen, false);
  assert.equal(inUse(), "ws");
  assert.ok(!phases().includes("down"));
});

test("a page that finds no other link goes down, and leaves the late one", async () => {
  const { clock, made, catchUp, link, heartbeat, run, phases } = startOn("ws", { random: () => 0 });
  run(7000);
  heartbeat(4000);
  clock.turn(0);
  await failAll({ made, catchUp });
  assert.equal(link.isOpen, false);
  assert.equal(phases().at(-1), "down");
});

test("a clock that is wrong by a day, or is set while the page is open, causes no lag", () => {
  const { clock, heartbeat, link, run, isLeaving } = startOn("ws", { random: () => 0 });
  run(5000);
  for (const jumpMs of [86_400_000, -2 * 86_400_000]) {
    const server = clock.now();
    clock.jump(jumpMs);
    clock.turn(900);
    link.onmessage({ type: "heartbeat", server_time: new Date(server + 900).toISOString() });
    assert.ok(!isLeaving());
    clock.jump(-jumpMs);
    heartbeat();
  }
});

test("a message that waited for a busy page is not late", () => {
  const { clock, heartbeat, run, isLeaving } = startOn("ws", { random: () => 0 });
  run(5000);
  clock.block(4000);
  heartbeat(4000);
  heartbeat(3500);
  clock.turn(1);
  assert.ok(!isLeaving());
  run(4000);
  heartbeat(3500);
  clock.turn(1);
  assert.ok(isLeaving(), "once the page has been awake for that long, it is the network");
});

test("messages that a busy page handles together are not buffered", () => {
  const { clock, heartbeat, isLeaving } = startOn("sse", { random: () => 0 });
  for (let round = 0; round < 5; round += 1) {
    clock.block(3000);
    heartbeat(2900);
    heartbeat(100);
    clock.turn(0);
  }
  assert.ok(!isLeaving());
});

/**
 * Keeps the event loop busy for this long, with one task after the other, and idle for `idleMs` after each.
 * @param {Pick<Parts, "clock" | "eventLoop">} parts
 * @param {number} ms
 * @param {{ idleMs?: number, each?: (pastMs: number) => void }} [options]
 */
function work({ clock, eventLoop }, ms, { idleMs = 0, each = () => {} } = {}) {
  for (let past = 0; past < ms; past += TASK_MS + idleMs) {
    each(past);
    eventLoop.probe();
    clock.block(TASK_MS);
    clock.turn(0);
    clock.turn(idleMs);
  }
}

test("a message that waited in a saturated page is not late, and the page keeps its link", () => {
  const parts = startOn("ws", { random: () => 0 });
  let rev = 1;
  parts.run(5000);
  work(parts, 10_000, { each: (past) => parts.status((rev += 1), past * 0.9) });
  parts.clock.turn(1);
  assert.ok(!parts.isLeaving());
  parts.heartbeat(13_600);
  parts.clock.turn(1);
  assert.ok(parts.isLeaving(), "it waited in the page for ten seconds at most");
});

test("a late network is detected although the page is busy half of the time", () => {
  const parts = startOn("ws", { random: () => 0 });
  parts.run(5000);
  work(parts, 5000, { idleMs: TASK_MS });
  parts.status(2, 2900);
  work(parts, 100, { idleMs: TASK_MS });
  assert.ok(!parts.isLeaving());
  parts.status(3, 3010);
  parts.clock.turn(1);
  assert.ok(parts.isLeaving());
});

test("a late network is detected as soon as the page keeps up again", () => {
  const parts = startOn("ws", { random: () => 0 });
  parts.run(5000);
  work(parts, 5000);
  parts.status(2, 5000);
  parts.clock.turn(1);
  assert.ok(!parts.isLeaving());
  work(parts, 1000, { idleMs: TASK_MS });
  parts.status(3, 5000);
  parts.clock.turn(1);
  assert.ok(parts.isLeaving());
});

test("the follow-up of a change over SSE may wait for a saturated page", () => {
  for (const isHeard of [true, false]) {
    const parts = startOn("sse", { random: () => 0 });
    parts.clock.turn(250);
    parts.run(10_000);
    parts.status(2);
    work(parts, FOLLOW_LIMIT_MS + 4000);
    assert.ok(!parts.isLeaving());
    if (isHeard) parts.heartbeat(FOLLOW_LIMIT_MS + 3700);
    parts.clock.turn(2500);
    assert.equal(parts.isLeaving(), !isHeard);
  }
});

test("a page that never keeps up leaves a dead link too", () => {
  const parts = startOn("sse", { random: () => 0 });
  parts.clock.turn(250);
  parts.status(2);
  work(parts, HEARTBEAT_MS * 1.5 + 4000);
  assert.ok(parts.isLeaving());
});

test("messages that a saturated page handles together are not buffered", () => {
  const parts = startOn("sse", { random: () => 0 });
  parts.clock.turn(250);
  parts.run(5000);
  for (let rev = 2; rev < 20; rev += 2) {
    work(parts, 1200);
    parts.status(rev, 1100);
    parts.status(rev + 1, 100);
  }
  parts.clock.turn(1);
  assert.ok(!parts.isLeaving());
});

test("a poll response is never late", async () => {
  const { clock, made, sent, serverClock, open } = await startOnPoll({ random: () => 0 });
  serverClock.sync(sent());
  made.poll[0].onmessage({ type: "heartbeat", cursor: START, server_time: sent(20_000) });
  clock.turn(1);
  assert.deepEqual(open(), ["poll"]);
});

test("SSE without a follow-up to hello is left after three seconds", () => {
  const { clock, open } = startOn("sse", { random: () => 0 });
  clock.turn(FOLLOW_LIMIT_MS - 1);
  assert.deepEqual(open(), ["sse"]);
  clock.turn(2);
  assert.ok(open().includes("ws"), "the next race has begun");
});

test("SSE without a follow-up to a change is left after three seconds", () => {
  const { clock, status, run, isLeaving } = startOn("sse", { random: () => 0 });
  clock.turn(250);
  run(10_000);
  status(2);
  clock.turn(FOLLOW_LIMIT_MS + 1);
  assert.ok(isLeaving());
});

test("a heartbeat needs no follow-up, and over WebSocket nothing does", () => {
  const sse = startOn("sse");
  sse.clock.turn(250);
  sse.heartbeat();
  sse.clock.turn(20_000);
  assert.deepEqual(sse.open(), ["sse"]);
  const ws = startOn("ws");
  ws.clock.turn(17_000);
  assert.deepEqual(ws.open(), ["ws"]);
});

/**
 * Delivers changes at intervals, each with a heartbeat after it; if they are buffered, each message arrives with the next.
 * @param {ReturnType<typeof startOn>} parts
 * @param {number} everyMs
 * @param {boolean} isHeld
 * @param {number} rounds
 */
function deliverChanges({ clock, link, sent }, everyMs, isHeld, rounds) {
  /** @type {Message | null} */
  let held = null;
  const send = (/** @type {Message} */ message) => {
    if (isHeld && held) link.onmessage(held);
    held = message;
    if (!isHeld) link.onmessage(message);
  };
  for (let rev = 2; rev < 2 + rounds; rev += 1) {
    send({ type: "status", cursor: `9f2c41aa-${rev}`, pet: 1, status: "eating", since: sent() });
    clock.turn(250);
    send({ type: "heartbeat", cursor: `9f2c41aa-${rev}`, server_time: sent() });
    clock.turn(everyMs - 250);
  }
}

test("SSE that buffers each message until the next is detected even if changes come often", () => {
  const parts = startOn("sse", { random: () => 0 });
  parts.clock.turn(250);
  deliverChanges(parts, 1700, true, 6);
  assert.ok(parts.open().includes("ws"));
  const healthy = startOn("sse", { random: () => 0 });
  healthy.clock.turn(250);
  deliverChanges(healthy, 1700, false, 20);
  assert.deepEqual(healthy.open(), ["sse"]);
});

test("a server whose clock was set back does not cost the page its transport", () => {
  const { clock, made, link, sent, run, open, inUse } = startOn("ws", { random: () => 0 });
  run(12_000);
  const late = { server_time: sent(10_000) };
  link.onmessage({ type: "heartbeat", ...late });
  clock.turn(0);
  last(made.ws).hello(late);
  last(made.sse).hello(late);
  last(made.poll).roundTripMs = 20;
  last(made.poll).hello(late);
  assert.equal(inUse(), "poll");
  clock.turn(250);
  last(made.ws).hello({ server_time: sent(10_000) });
  assert.equal(inUse(), "ws");
  beat(clock, last(made.ws), 60_000);
  assert.deepEqual(open(), ["ws"]);
});

test("heartbeats in time cause no lag", () => {
  const { clock, link, open } = startOn("ws");
  beat(clock, link, 60_000);
  assert.deepEqual(open(), ["ws"]);
});
