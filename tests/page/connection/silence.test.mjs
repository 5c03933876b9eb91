/** Probes: how a page finds out early that its connection is dead, and without cost that it is not. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { HeartbeatInterval } from "../../../public/petstore/connection/heartbeat-interval.js";
import { START, startConnection, startOnPoll } from "../support/connection.mjs";
import { FakeClock, last } from "../support/fakes.mjs";
/** @import { FakeTransport } from "../support/fakes.mjs" */

const MINUTE_MS = 60_000;

const PING = { do: "ping" };

/** Starts a page on a stream. @param {"ws" | "sse"} name */
function startOn(name) {
  const parts = startConnection({ random: () => 0 });
  if (name === "sse") parts.made.ws[0].fail();
  const link = parts.made[name][0];
  link.hello({ heartbeat_ms: 5000 });
  return { ...parts, link };
}

/**
 * Delivers heartbeats at this interval.
 * @param {{ clock: FakeClock, link: FakeTransport }} parts
 * @param {number} ms
 * @param {number} everyMs
 */
function deliver({ clock, link }, ms, everyMs) {
  for (let past = 0; past < ms; past += everyMs) {
    clock.turn(everyMs);
    link.onmessage({ type: "heartbeat", cursor: START });
  }
}

test("a visible page notices within ten seconds that nothing arrives", () => {
  for (const name of /** @type {const} */ (["ws", "sse"])) {
    const parts = startOn(name);
    deliver(parts, MINUTE_MS, 5000);
    parts.clock.turn(9_999);
    assert.equal(parts.link.isOpen, false, name);
  }
});

test("a WebSocket on a busy board is asked after an unusual silence, and left within four seconds", () => {
  const parts = startOn("ws");
  deliver(parts, 10_000, 100);
  parts.clock.turn(1_499);
  assert.deepEqual(parts.link.sent, []);
  parts.clock.turn(1);
  assert.deepEqual(parts.link.sent, [PING]);
  parts.clock.turn(1_999);
  assert.equal(parts.link.isOpen, true);
  parts.clock.turn(1);
  assert.equal(parts.link.isOpen, false);
});

test("a link that is cut off before it was useful is replaced immediately, and counts as failed the second time", () => {
  const { clock, made, health, open } = startOn("ws");
  for (const checks of [0, 1]) {
    const link = last(made.ws);
    deliver({ clock, link }, 4_000, 100);
    clock.turn(3_500);
    assert.equal(link.isOpen, false);
    clock.turn(1);
    assert.equal(health.checks, checks);
    last(made.ws).hello({ heartbeat_ms: 5000 });
  }
  assert.deepEqual(open(), ["sse"]);
});

test("a board that becomes quiet costs two questions, and a quiet one none", () => {
  const parts = startOn("ws");
  deliver(parts, 10_000, 100);
  parts.clock.turn(1_500);
  parts.link.onmessage({ type: "heartbeat", cursor: START });
  deliver(parts, 5000, 5000);
  assert.deepEqual(parts.link.sent, [PING, PING]);
  deliver(parts, MINUTE_MS, 5000);
  assert.deepEqual(parts.link.sent, [PING, PING]);
  assert.equal(parts.link.isOpen, true);
});

test("an unusual silence of a poll is ended by a new request", async () => {
  const { clock, made } = await startOnPoll();
  const [link] = made.poll;
  link.hello({ heartbeat_ms: 5000 });
  deliver({ clock, link }, 10_000, 100);
  link.opened = 0;
  clock.turn(1_500);
  assert.deepEqual([link.opened, link.since], [1, START]);
  link.hello({ heartbeat_ms: 5000 });
  clock.turn(1_499);
  assert.equal(link.isOpen, true);
});

test("after an online event every transport must give a sign of life within two seconds", async () => {
  for (const name of /** @type {const} */ (["ws", "sse", "poll"])) {
    const parts = name === "poll" ? await startOnPoll() : startOn(name);
    const { clock, made, connection } = parts;
    const [link] = made[name];
    deliver({ clock, link }, 10_000, 1000);
    link.opened = 0;
    link.onmessage({ type: "status", cursor: "9f2c41aa-5", pet: 1, status: "eating" });
    connection.online();
    if (name === "ws") assert.deepEqual(link.sent, [PING]);
    else assert.deepEqual([link.opened, link.since], [1, "9f2c41aa-5"], name);
    clock.turn(1_999);
    assert.equal(link.isOpen, true);
    clock.turn(1);
    assert.equal(link.isOpen, false, name);
  }
});

test("a page that becomes visible probes its link: a WebSocket always, the others only if they were quiet", () => {
  const ws = startOn("ws");
  ws.connection.wake();
  assert.deepEqual(ws.link.sent, [PING]);
  const sse = startOn("sse");
  sse.connection.wake();
  assert.equal(sse.link.opened, 1);
  sse.clock.turn(1_500);
  sse.connection.wake();
  assert.equal(sse.link.opened, 2);
  sse.link.hello({ heartbeat_ms: 5000 });
  sse.clock.turn(3_000);
  assert.equal(sse.link.isOpen, true);
});

test("an answer that waits for a busy page is not missing", () => {
  const { clock, connection, link } = startOn("ws");
  connection.online();
  clock.block(5_000);
  clock.turn(0);
  assert.equal(link.isOpen, true);
  link.onmessage({ type: "heartbeat", cursor: START });
  clock.turn(5_000);
  assert.equal(link.isOpen, true);
});

test("a page that is hidden asks for a rarer heartbeat on the open WebSocket, and says how long silence may last", () => {
  const { clock, connection, link, page, states } = startOn("ws");
  const says = (/** @type {number} */ ms) => link.onmessage({ type: "heartbeat", cursor: START, heartbeat_ms: ms });
  page.isHidden = true;
  clock.turn(5000);
  link.onmessage({ type: "heartbeat", cursor: START });
  assert.deepEqual(link.sent, [{ do: "heartbeat", heartbeat_ms: 15_000 }]);
  says(15_000);
  assert.equal(last(states).phase, "up");
  assert.equal(/** @type {any} */ (last(states)).silenceLimitMs, 24_500);
  clock.turn(15_000);
  says(15_000);
  page.isHidden = false;
  connection.wake();
  assert.deepEqual(link.sent.slice(1), [{ do: "heartbeat", heartbeat_ms: 5000 }, PING]);
  says(5000);
  assert.equal(/** @type {any} */ (last(states)).silenceLimitMs, 9_500);
});

test("after two connections that did not survive their silence, the next one asks for a shorter heartbeat", () => {
  const { clock, made, heartbeat, connection } = startOn("ws");
  const asked = [];
  for (let round = 0; round < 3; round += 1) {
    const link = last(made.ws);
    asked.push(heartbeat.currentMs);
    deliver({ clock, link }, 10_000, 5000);
    clock.turn(8_000);
    assert.equal(link.isOpen, false);
    connection.wake();
    clock.turn(0);
    last(made.ws).hello({ heartbeat_ms: 5000 });
  }
  assert.deepEqual(asked, [5000, 5000, 3000]);
});

test("a busy connection that falls silent, and a bye, say nothing about the heartbeat", () => {
  const { clock, made, heartbeat, connection } = startOn("ws");
  for (let round = 0; round < 6; round += 1) {
    const link = last(made.ws);
    if (round % 2 === 0) {
      deliver({ clock, link }, 10_000, 100);
      clock.turn(10_000);
    } else {
      deliver({ clock, link }, 10_000, 5000);
      link.onmessage({ type: "bye", retry_ms: 100 });
      clock.turn(200);
    }
    connection.wake();
    clock.turn(0);
    last(made.ws).hello({ heartbeat_ms: 5000 });
  }
  assert.equal(heartbeat.currentMs, 5000);
});

test("a heartbeat that was shortened has a lower bound, and relaxes after ten minutes without a loss", () => {
  const clock = new FakeClock();
  const page = { isHidden: false };
  const heartbeat = new HeartbeatInterval({ clock, isHidden: () => page.isHidden });
  heartbeat.recordLoss(10_000);
  heartbeat.recordLoss(10_000);
  assert.deepEqual([heartbeat.currentMs, heartbeat.fixedMs], [5000, 5000]);
  page.isHidden = true;
  assert.deepEqual([heartbeat.currentMs, heartbeat.fixedMs], [6000, 5000]);
  heartbeat.recordLoss(3_000);
  assert.equal(heartbeat.currentMs, 2000);
  clock.turn(10 * MINUTE_MS - 1);
  assert.equal(heartbeat.currentMs, 2000);
  clock.turn(1);
  assert.equal(heartbeat.currentMs, 3000);
  clock.turn(60 * MINUTE_MS);
  assert.equal(heartbeat.currentMs, 15_000);
  heartbeat.recordLoss(3_000);
  assert.equal(heartbeat.currentMs, 15_000, "a single loss is an accident again");
});
