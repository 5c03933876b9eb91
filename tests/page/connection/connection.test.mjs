/** The connection of a page: the end of a link, the delay before the next race, and where it resumes. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { last } from "../support/fakes.mjs";
import { beat, failAll, HEARTBEAT_MS, startConnection } from "../support/connection.mjs";

/** A WebSocket is asked after 1.2 heartbeats, and has two seconds for the answer. */
const OVERDUE_MS = 18_000;
const ANSWER_MS = 2_000;

/** The others have one and a half heartbeats and two seconds. */
const SILENCE_LIMIT_MS = 24_500;

test("after hello the connection is up, and messages are passed on in order", () => {
  const { made, phases, types } = startConnection();
  made.ws[0].hello();
  made.ws[0].onmessage({ type: "status", cursor: "9f2c41aa-2" });
  made.ws[0].onmessage({ type: "heartbeat", cursor: "9f2c41aa-2" });
  assert.deepEqual(phases(), ["connecting", "up"]);
  assert.deepEqual(types(), ["hello", "status", "heartbeat"]);
});

test("a WebSocket that misses a heartbeat is asked for a sign of life, and left two seconds later without one", () => {
  const { clock, made, phases } = startConnection();
  const [ws] = made.ws;
  ws.hello({ heartbeat_ms: HEARTBEAT_MS });
  for (const isAnswered of [true, false]) {
    clock.turn(OVERDUE_MS - 1);
    ws.sent.length = 0;
    clock.turn(1);
    assert.deepEqual(ws.sent, [{ do: "ping" }]);
    if (isAnswered) ws.onmessage({ type: "heartbeat" });
  }
  clock.turn(ANSWER_MS - 1);
  assert.equal(ws.isOpen, true);
  clock.turn(1);
  assert.equal(ws.isOpen, false);
  assert.equal(phases().at(-1), "down");
});

test("a transport that falls silent is left after one and a half heartbeats and a margin", () => {
  const { clock, made, phases } = startConnection();
  made.ws[0].fail();
  const [sse] = made.sse;
  sse.hello({ heartbeat_ms: HEARTBEAT_MS });
  sse.onmessage({ type: "heartbeat" });
  clock.turn(SILENCE_LIMIT_MS - 1);
  assert.equal(sse.isOpen, true);
  clock.turn(1);
  assert.equal(sse.isOpen, false);
  assert.equal(phases().at(-1), "down");
});

test("every message restarts the timeout", () => {
  const { clock, made } = startConnection();
  made.ws[0].hello({ heartbeat_ms: HEARTBEAT_MS });
  beat(clock, made.ws[0], 5 * HEARTBEAT_MS, HEARTBEAT_MS);
  clock.turn(OVERDUE_MS + ANSWER_MS - 1);
  assert.equal(made.ws[0].isOpen, true);
});

test("the heartbeat in hello sets the timeout", () => {
  const { clock, made } = startConnection();
  made.ws[0].hello({ heartbeat_ms: 1000 });
  clock.turn(3500);
  assert.equal(made.ws[0].isOpen, false);
});

test("messages that arrived while the page was busy still count", () => {
  const { clock, made } = startConnection();
  made.ws[0].hello({ heartbeat_ms: 1000 });
  clock.block(5_000);
  clock.turn(0);
  assert.equal(made.ws[0].isOpen, true);
  made.ws[0].onmessage({ type: "heartbeat" });
  clock.turn(3_000);
  assert.equal(made.ws[0].isOpen, true);
});

test("a link that stays silent after a busy moment is left a second later", () => {
  const { clock, made } = startConnection();
  made.ws[0].hello({ heartbeat_ms: 1000 });
  clock.block(5_000);
  clock.turn(1_000);
  assert.equal(made.ws[0].isOpen, false);
});

test("a lost stream starts another race, at the last cursor", () => {
  const { clock, made, page } = startConnection();
  made.ws[0].hello();
  beat(clock, made.ws[0], 6000);
  page.cursor = "9f2c41aa-42";
  made.ws[0].fail();
  clock.turn(250);
  assert.equal(made.ws[1].since, "9f2c41aa-42");
  clock.turn(3_000);
  assert.equal(made.sse[1].since, "9f2c41aa-42");
});

test("the delay before a reconnect is random, in a range that doubles up to six seconds", async () => {
  const { clock, made, catchUp } = startConnection({ random: () => 1 });
  for (const waitMs of [500, 1000, 2000, 4000, 6000, 6000]) {
    const before = made.ws.length;
    await failAll({ made, catchUp });
    clock.turn(waitMs - 1);
    assert.equal(made.ws.length, before, `still waiting just before ${waitMs} ms`);
    clock.turn(1);
    assert.equal(made.ws.length, before + 1, `connects after ${waitMs} ms`);
  }
});

test("the random delay can be zero", async () => {
  const { clock, made, catchUp } = startConnection({ random: () => 0 });
  await failAll({ made, catchUp });
  clock.turn(0);
  assert.equal(made.ws.length, 2);
});

test("a useful link resets the delay, and one that only opened does not", async () => {
  const { clock, made, catchUp } = startConnection({ random: () => 1 });
  await failAll({ made, catchUp });
  clock.turn(500);
  made.ws[1].hello();
  made.ws[1].fail();
  clock.turn(999);
  assert.equal(made.sse.length, 2);
  clock.turn(1);
  made.sse[2].hello();
  beat(clock, made.sse[2], 6000);
  made.sse[2].fail();
  clock.turn(500);
  assert.equal(made.sse.length, 4);
});

test("after bye the page waits exactly as long as the server says", () => {
  const { clock, made, types } = startConnection({ random: () => 1 });
  made.ws[0].hello();
  made.ws[0].onmessage({ type: "bye", reason: "stopping", retry_ms: 4321 });
  assert.equal(made.ws[0].isOpen, false);
  clock.turn(4320);
  assert.equal(made.ws.length, 1);
  clock.turn(1);
  assert.equal(made.ws.length, 2);
  assert.deepEqual(types(), ["hello"]);
});

test("the server's retry time is bounded on both sides", () => {
  const { clock, made } = startConnection();
  made.ws[0].onmessage({ type: "bye", retry_ms: 0 });
  clock.turn(99);
  assert.equal(made.ws.length, 1);
  clock.turn(1);
  assert.equal(made.ws.length, 2);
  made.ws[1].onmessage({ type: "bye", retry_ms: 1e12 });
  clock.turn(300_000);
  assert.equal(made.ws.length, 3);
});

test("a bye without a retry time has a random delay like any other end", () => {
  const { clock, made } = startConnection({ random: () => 1 });
  made.ws[0].hello();
  made.ws[0].onmessage({ type: "bye", reason: "stopping" });
  clock.turn(500);
  assert.equal(made.ws.length, 2);
});

test("a page that becomes visible leaves a link that was silent for a heartbeat", () => {
  const { clock, connection, made } = startConnection();
  made.ws[0].hello({ heartbeat_ms: HEARTBEAT_MS });
  clock.jump(HEARTBEAT_MS + 1);
  connection.wake();
  assert.equal(made.ws[0].isOpen, false);
  assert.equal(made.ws[1].isOpen, true);
});

test("a page that becomes visible keeps a link with a message within a heartbeat", () => {
  const { clock, connection, made } = startConnection();
  made.ws[0].hello({ heartbeat_ms: HEARTBEAT_MS });
  clock.turn(HEARTBEAT_MS);
  connection.wake();
  assert.equal(made.ws[0].isOpen, true);
});

test("the sleep of a machine with a visible page is detected within a second", () => {
  const { clock, made } = startConnection();
  made.ws[0].hello({ heartbeat_ms: HEARTBEAT_MS });
  clock.jump(60_000);
  clock.turn(1000);
  assert.equal(made.ws[0].isOpen, true, "a hidden page runs once a minute");
  clock.jump(70_000);
  clock.turn(1000);
  assert.equal(made.ws[0].isOpen, false);
  assert.equal(made.ws[1].isOpen, true);
});

test("a page that becomes visible skips its own delay, but not the server's", async () => {
  const { clock, connection, made, catchUp } = startConnection({ random: () => 1 });
  await failAll({ made, catchUp });
  connection.wake();
  assert.equal(made.ws.length, 2);
  made.ws[1].hello();
  made.ws[1].onmessage({ type: "bye", retry_ms: 9000 });
  connection.wake();
  clock.turn(8999);
  assert.equal(made.ws.length, 2);
});

test("a link without a message since the network went away is left when it is back", () => {
  const { connection, made } = startConnection();
  made.ws[0].hello();
  connection.offline();
  connection.online();
  assert.equal(made.ws[0].isOpen, false);
  assert.equal(made.ws[1].isOpen, true);
});

test("a link that delivers while the browser reports that it is offline is kept", () => {
  const { connection, made } = startConnection();
  made.ws[0].hello();
  connection.offline();
  made.ws[0].onmessage({ type: "heartbeat" });
  connection.online();
  assert.equal(made.ws[0].isOpen, true);
});

test("stopping closes everything and leaves no timer, and starting resumes at the last cursor", () => {
  const { clock, connection, made, phases, page } = startConnection();
  made.ws[0].hello();
  page.cursor = "9f2c41aa-9";
  connection.stop();
  assert.equal(made.ws[0].isOpen, false);
  assert.equal(clock.waiting, 0);
  assert.equal(phases().at(-1), "down");
  connection.start();
  assert.equal(made.ws[1].since, "9f2c41aa-9");
});

test("late messages of a closed transport are dropped", () => {
  const { connection, made, phases, types } = startConnection();
  made.ws[0].hello();
  connection.stop();
  made.ws[0].onmessage({ type: "status", cursor: "9f2c41aa-2" });
  made.ws[0].onstate("closed");
  assert.deepEqual(types(), ["hello"]);
  assert.equal(phases().length, 3);
});

test("stopping ends a race, a delay and a health check", async () => {
  const { clock, connection, made, catchUp } = startConnection();
  connection.stop();
  assert.equal(clock.waiting, 0);
  connection.start();
  await failAll({ made, catchUp });
  connection.stop();
  assert.equal(clock.waiting, 0);
  connection.start();
  last(made.ws).hello();
  last(made.ws).fail();
  connection.stop();
  assert.equal(clock.waiting, 0);
  connection.wake();
  connection.online();
  assert.equal(made.ws.length, 3);
});
