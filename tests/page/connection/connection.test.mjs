/** How the page stays connected: what ends a link, how long it waits, and from where it goes on. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { last } from "../support/fakes.mjs";
import { beat, failAll, HEARTBEAT_MS, startConnection } from "../support/connection.mjs";

/** One and a half heartbeats and two seconds. */
const SILENCE_LIMIT_MS = 24_500;

test("hello makes the connection up, and its messages pass on in order", () => {
  const { made, phases, types } = startConnection();
  made.ws[0].hello();
  made.ws[0].onmessage({ type: "status", cursor: "9f2c41aa-2" });
  made.ws[0].onmessage({ type: "heartbeat", cursor: "9f2c41aa-2" });
  assert.deepEqual(phases(), ["connecting", "up"]);
  assert.deepEqual(types(), ["hello", "status", "heartbeat"]);
});

test("a transport that goes quiet is left after one and a half heartbeats and a margin", () => {
  const { clock, made, phases } = startConnection();
  made.ws[0].hello({ heartbeat_ms: HEARTBEAT_MS });
  clock.turn(SILENCE_LIMIT_MS - 1);
  assert.equal(made.ws[0].isOpen, true);
  clock.turn(1);
  assert.equal(made.ws[0].isOpen, false);
  assert.equal(phases().at(-1), "down");
});

test("every message proves the link anew", () => {
  const { clock, made } = startConnection();
  made.ws[0].hello({ heartbeat_ms: HEARTBEAT_MS });
  beat(clock, made.ws[0], 5 * HEARTBEAT_MS, HEARTBEAT_MS);
  clock.turn(SILENCE_LIMIT_MS - 1);
  assert.equal(made.ws[0].isOpen, true);
});

test("the heartbeat that hello names sets the limit", () => {
  const { clock, made } = startConnection();
  made.ws[0].hello({ heartbeat_ms: 1000 });
  clock.turn(3500);
  assert.equal(made.ws[0].isOpen, false);
});

test("what came while the page was too busy to hear it still counts", () => {
  const { clock, made } = startConnection();
  made.ws[0].hello({ heartbeat_ms: 1000 });
  clock.block(5_000);
  clock.turn(0);
  assert.equal(made.ws[0].isOpen, true);
  made.ws[0].onmessage({ type: "heartbeat" });
  clock.turn(3_000);
  assert.equal(made.ws[0].isOpen, true);
});

test("a link that stays quiet after a busy moment is left a second later", () => {
  const { clock, made } = startConnection();
  made.ws[0].hello({ heartbeat_ms: 1000 });
  clock.block(5_000);
  clock.turn(1_000);
  assert.equal(made.ws[0].isOpen, false);
});

test("a lost stream starts the race anew, from the last cursor", () => {
  const { clock, made, page } = startConnection();
  made.ws[0].hello();
  beat(clock, made.ws[0], 6000);
  page.cursor = "9f2c41aa-42";
  made.ws[0].fail();
  clock.turn(250);
  assert.equal(made.ws[1].since, "9f2c41aa-42");
  clock.turn(250);
  assert.equal(made.sse[1].since, "9f2c41aa-42");
});

test("the wait before a reconnect is drawn by chance from a range that doubles up to six seconds", () => {
  const { clock, made } = startConnection({ random: () => 1 });
  for (const waitMs of [500, 1000, 2000, 4000, 6000, 6000]) {
    const before = made.ws.length;
    failAll(made);
    clock.turn(waitMs - 1);
    assert.equal(made.ws.length, before, `still waiting just before ${waitMs} ms`);
    clock.turn(1);
    assert.equal(made.ws.length, before + 1, `connects after ${waitMs} ms`);
  }
});

test("chance may make the wait nothing at all", () => {
  const { clock, made } = startConnection({ random: () => 0 });
  failAll(made);
  clock.turn(0);
  assert.equal(made.ws.length, 2);
});

test("a link that was of use resets the wait, one that only opened does not", () => {
  const { clock, made } = startConnection({ random: () => 1 });
  failAll(made);
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
  assert.equal(made.ws.length, 4);
});

test("after bye the page stays away exactly as long as the server said", () => {
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

test("a wait that the server asked for is bounded on both sides", () => {
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

test("a bye without a time is waited out like any other ending", () => {
  const { clock, made } = startConnection({ random: () => 1 });
  made.ws[0].hello();
  made.ws[0].onmessage({ type: "bye", reason: "stopping" });
  clock.turn(500);
  assert.equal(made.ws.length, 2);
});

test("a page that is looked at again leaves a link not heard for a heartbeat, at once", () => {
  const { clock, connection, made } = startConnection();
  made.ws[0].hello({ heartbeat_ms: HEARTBEAT_MS });
  clock.jump(HEARTBEAT_MS + 1);
  connection.wake();
  assert.equal(made.ws[0].isOpen, false);
  assert.equal(made.ws[1].isOpen, true);
});

test("a page that is looked at again keeps a link that was heard within a heartbeat", () => {
  const { clock, connection, made } = startConnection();
  made.ws[0].hello({ heartbeat_ms: HEARTBEAT_MS });
  clock.turn(HEARTBEAT_MS);
  connection.wake();
  assert.equal(made.ws[0].isOpen, true);
});

test("a machine that slept while the page was in view is noticed within a second of its waking", () => {
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

test("a page that is looked at again does not sit out a wait of its own, but the one the server asked for", () => {
  const { clock, connection, made } = startConnection({ random: () => 1 });
  failAll(made);
  connection.wake();
  assert.equal(made.ws.length, 2);
  made.ws[1].hello();
  made.ws[1].onmessage({ type: "bye", retry_ms: 9000 });
  connection.wake();
  clock.turn(8999);
  assert.equal(made.ws.length, 2);
});

test("a link silent since the network went away is left as soon as it is back", () => {
  const { connection, made } = startConnection();
  made.ws[0].hello();
  connection.offline();
  connection.online();
  assert.equal(made.ws[0].isOpen, false);
  assert.equal(made.ws[1].isOpen, true);
});

test("a link that speaks while the browser thinks it is offline is kept", () => {
  const { connection, made } = startConnection();
  made.ws[0].hello();
  connection.offline();
  made.ws[0].onmessage({ type: "heartbeat" });
  connection.online();
  assert.equal(made.ws[0].isOpen, true);
});

test("stopping closes everything and leaves no timer, and starting goes on from the last cursor", () => {
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

test("what a closed transport still says is not heard", () => {
  const { connection, made, phases, types } = startConnection();
  made.ws[0].hello();
  connection.stop();
  made.ws[0].onmessage({ type: "status", cursor: "9f2c41aa-2" });
  made.ws[0].onstate("closed");
  assert.deepEqual(types(), ["hello"]);
  assert.equal(phases().length, 3);
});

test("stopping during a race, a wait or a question about the server's health ends it", () => {
  const { clock, connection, made } = startConnection();
  connection.stop();
  assert.equal(clock.waiting, 0);
  connection.start();
  failAll(made);
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
