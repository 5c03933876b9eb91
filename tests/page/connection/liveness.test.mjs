/** Whether what arrives arrives in time: lag, what is held back until the next, and a page that was asleep. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { beat, HEARTBEAT_MS, START, startConnection } from "../support/connection.mjs";
import { FakeClock } from "../support/fakes.mjs";
import { ServerClock } from "../../../public/state/server-clock.js";

/** What the page's event loop does in one go. */
const TASK_MS = 10;

/** A quarter of a second for the heartbeat that follows, and three for the way. */
const FOLLOW_LIMIT_MS = 3_250;

/** A connection on one rung, in which every message says when it was sent. `waitMs`: until hello. */
function startOn(name, { waitMs = 0, ...options } = {}) {
  const parts = startConnection(options);
  const { clock, made, sent } = parts;
  clock.turn(waitMs);
  for (const other of ["ws", "sse", "poll", "short"]) {
    if (other === name) break;
    made[other][0].fail();
  }
  const link = made[name][0];
  link.hello({ heartbeat_ms: HEARTBEAT_MS, server_time: sent() });
  const heartbeat = (agoMs = 0) => link.onmessage({ type: "heartbeat", cursor: START, server_time: sent(agoMs) });
  const status = (rev, agoMs = 0) =>
    link.onmessage({ type: "status", cursor: `9f2c41aa-${rev}`, pet: 1, status: "eating", since: sent(agoMs) });
  const run = (ms) => {
    for (let past = 0; past < ms; past += 1000) {
      parts.clock.turn(1000);
      heartbeat();
    }
  };
  const isLeaving = () => Object.values(made).flat().filter(({ isOpen }) => isOpen).length > 1;
  return { ...parts, link, heartbeat, status, run, isLeaving };
}

for (const name of ["ws", "sse"]) {
  test(`${name} that brings a message more than three seconds late is left for another`, () => {
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

test("a change is timed by when it was committed, but not one that was missed", () => {
  const { clock, status, run, isLeaving } = startOn("ws", { random: () => 0, waitMs: 9000 });
  run(5000);
  status(2, 6000);
  clock.turn(1);
  assert.ok(!isLeaving(), "committed before the link began: it is late by nature");
  status(3, 4000);
  clock.turn(1);
  assert.ok(isLeaving());
});

test("a status that was restored is timed by when that was committed, not by when the status began", () => {
  for (const [at, isLate] of [
    [0, false],
    [3010, true],
  ]) {
    const { clock, link, run, sent, isLeaving } = startOn("ws", { random: () => 0 });
    run(60_000);
    const restored = { type: "status", cursor: "9f2c41aa-9", pet: 1, status: "eating", since: sent(30_000) };
    link.onmessage({ ...restored, at: sent(at) });
    clock.turn(1);
    assert.equal(isLeaving(), isLate);
  }
});

test("the page goes on over the late link until another has said hello, and nobody is told", () => {
  const { clock, made, link, heartbeat, status, run, phases, types, rung } = startOn("ws", { random: () => 0 });
  run(7000);
  const told = phases().length;
  heartbeat(4000);
  clock.turn(1);
  status(2);
  assert.equal(types().at(-1), "status");
  assert.equal(phases().length, told);
  made.sse.at(-1).fail();
  made.ws.at(-1).hello();
  assert.equal(link.isOpen, false);
  assert.equal(rung(), "ws");
  assert.ok(!phases().includes("down"));
});

test("a page that finds no other link says so, and leaves the late one", () => {
  const { clock, made, link, heartbeat, run, phases } = startOn("ws", { random: () => 0 });
  run(7000);
  heartbeat(4000);
  clock.turn(0);
  for (const name of ["ws", "sse", "poll", "short"]) made[name].at(-1).fail();
  assert.equal(link.isOpen, false);
  assert.equal(phases().at(-1), "down");
});

test("a clock that is wrong by a day, or set while the page is open, makes no lag", () => {
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

test("what waited for a busy page is not called late", () => {
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

test("what a busy page hears all at once is not called held back", () => {
  const { clock, heartbeat, isLeaving } = startOn("sse", { random: () => 0 });
  for (let round = 0; round < 5; round += 1) {
    clock.block(3000);
    heartbeat(2900);
    heartbeat(100);
    clock.turn(0);
  }
  assert.ok(!isLeaving());
});

/** Keeps the event loop busy for so long, a task after the other, and idle for `idleMs` after each. */
function work({ clock, eventLoop }, ms, { idleMs = 0, each = (_pastMs) => {} } = {}) {
  for (let past = 0; past < ms; past += TASK_MS + idleMs) {
    each(past);
    eventLoop.probe();
    clock.block(TASK_MS);
    clock.turn(0);
    clock.turn(idleMs);
  }
}

test("what waited in a page that cannot keep up is not called late, and the page keeps its link", () => {
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

test("a network that is late is noticed although the page is busy half of the time", () => {
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

test("a network that is late is noticed as soon as the page can keep up again", () => {
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

test("what follows a change over SSE may wait for a page that cannot keep up", () => {
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

test("a link that is dead is left also by a page that never keeps up", () => {
  const parts = startOn("sse", { random: () => 0 });
  parts.clock.turn(250);
  parts.status(2);
  work(parts, HEARTBEAT_MS * 1.5 + 4000);
  assert.ok(parts.isLeaving());
});

test("what a page that cannot keep up hears together is not called held back", () => {
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

test("a poll's answer is as late as its question, and is not judged by that", () => {
  const { clock, heartbeat, run, open } = startOn("poll", { random: () => 0 });
  run(5000);
  heartbeat(20_000);
  clock.turn(1);
  assert.deepEqual(open(), ["poll"]);
});

test("a hello that comes too late does not win, and everything late is better than nothing", () => {
  const { clock, made, serverClock, sent, open, rung } = startConnection({ random: () => 0 });
  serverClock.learn(sent());
  clock.turn(6000);
  made.ws[0].hello({ server_time: sent(5000) });
  assert.deepEqual(open(), ["sse", "poll", "short"]);
  for (const name of ["sse", "poll", "short"]) made[name][0].fail();
  clock.turn(0);
  clock.turn(6000);
  made.ws[1].hello({ server_time: sent(5000) });
  assert.equal(rung(), "ws");
});

test("SSE whose hello is not followed by anything is held back, and is left after three seconds", () => {
  const { clock, open } = startOn("sse", { random: () => 0 });
  clock.turn(FOLLOW_LIMIT_MS - 1);
  assert.deepEqual(open(), ["sse"]);
  clock.turn(2);
  assert.ok(open().includes("ws"), "the next race has begun");
});

test("SSE whose change is not followed by anything is left after three seconds", () => {
  const { clock, status, run, isLeaving } = startOn("sse", { random: () => 0 });
  clock.turn(250);
  run(10_000);
  status(2);
  clock.turn(FOLLOW_LIMIT_MS + 1);
  assert.ok(isLeaving());
});

test("after a heartbeat nothing has to follow, and over WebSocket it never does", () => {
  const sse = startOn("sse");
  sse.clock.turn(250);
  sse.heartbeat();
  sse.clock.turn(20_000);
  assert.deepEqual(sse.open(), ["sse"]);
  const ws = startOn("ws");
  ws.clock.turn(20_000);
  assert.deepEqual(ws.open(), ["ws"]);
});

/** A change every so often, and the heartbeat after it; each message arrives when the next is sent, if it is held. */
function playLively({ clock, link, sent }, everyMs, isHeld, rounds) {
  let held = null;
  const send = (message) => {
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

test("SSE in which each message comes only with the next is found also where changes come often", () => {
  const parts = startOn("sse", { random: () => 0 });
  parts.clock.turn(250);
  playLively(parts, 1700, true, 6);
  assert.ok(parts.open().includes("ws"));
  const healthy = startOn("sse", { random: () => 0 });
  healthy.clock.turn(250);
  playLively(healthy, 1700, false, 20);
  assert.deepEqual(healthy.open(), ["sse"]);
});

function openServerClock() {
  const clock = new FakeClock();
  const serverClock = new ServerClock(clock);
  const at = (ms) => new Date(ms).toISOString();
  return { clock, serverClock, at };
}

test("the message that was quickest says what time it is at the server, until a quicker one comes", () => {
  const { clock, serverClock, at } = openServerClock();
  const server = clock.now() + 1_000_000;
  serverClock.learn(at(server - 800));
  serverClock.learn(at(server - 100));
  serverClock.learn(at(server - 500));
  assert.equal(serverClock.now(), server - 100);
  assert.equal(serverClock.lagMs(server - 500), 400);
});

test("the server's time is right again with the first message after the clock was set or the machine slept", () => {
  for (const jumpMs of [3_600_000, -86_400_000]) {
    const { clock, serverClock, at } = openServerClock();
    const server = clock.now() + 1_000_000;
    serverClock.learn(at(server));
    clock.jump(jumpMs);
    clock.turn(60_000);
    serverClock.learn(at(server + 60_000 - 20));
    assert.equal(serverClock.now(), server + 60_000);
  }
  const { clock, serverClock, at } = openServerClock();
  const server = clock.now() + 1_000_000;
  serverClock.learn(at(server));
  clock.jump(3_600_000);
  assert.equal(serverClock.now(), server + 3_600_000, "as a rule it slept");
  serverClock.learn(at(server + 3_600_000));
  assert.equal(serverClock.now(), server + 3_600_000);
});

test("nothing has lagged as long as there is nothing to compare with", () => {
  const { clock, serverClock, at } = openServerClock();
  assert.equal(serverClock.lagMs(clock.now() - 60_000), 0);
  serverClock.learn(at(clock.now()));
  serverClock.forget();
  assert.equal(serverClock.lagMs(clock.now() - 60_000), 0);
});

test("two clocks that run apart make no lag in a day", () => {
  const { clock, serverClock, at } = openServerClock();
  let server = clock.now();
  let worst = 0;
  for (let minute = 0; minute < 24 * 60; minute += 1) {
    serverClock.learn(at(server));
    worst = Math.max(worst, serverClock.lagMs(Math.floor(server)));
    clock.turn(60_000);
    server += 60_000 * (1 - 0.0001);
  }
  assert.ok(worst < 20, `${worst} ms`);
});

test("an answer that shows the server's clock to have been set back is believed", () => {
  const { clock, serverClock, at } = openServerClock();
  const server = clock.now();
  serverClock.learn(at(server));
  serverClock.correct(at(server - 10_000), 20_000);
  assert.equal(serverClock.now(), server, "the answer may have been long on its way");
  serverClock.correct(at(server - 10_000), 50);
  assert.equal(serverClock.now(), server - 10_000);
});

test("a server whose clock was set back costs the page no rung", () => {
  const { clock, made, link, sent, run, open, rung } = startOn("ws", { random: () => 0 });
  run(12_000);
  const late = { server_time: sent(10_000) };
  link.onmessage({ type: "heartbeat", ...late });
  clock.turn(0);
  made.ws.at(-1).hello(late);
  made.sse.at(-1).hello(late);
  made.poll.at(-1).roundTripMs = 20;
  made.poll.at(-1).hello(late);
  assert.equal(rung(), "poll");
  clock.turn(250);
  made.ws.at(-1).hello({ server_time: sent(10_000) });
  assert.equal(rung(), "ws");
  beat(clock, made.ws.at(-1), 60_000);
  assert.deepEqual(open(), ["ws"]);
});

test("a beat in time is no lag", () => {
  const { clock, link, open } = startOn("ws");
  beat(clock, link, 60_000);
  assert.deepEqual(open(), ["ws"]);
});
