/** How the page stays connected: what ends a link, how long it waits, and from where it goes on. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock, fakeTransports, load } from "./support.mjs";

const { Connection } = await load("live/connection.js");

const HEARTBEAT_MS = 15_000;
/** One and a half heartbeats and two seconds. */
const SILENCE_LIMIT_MS = 24_500;

function startConnection({ random = () => 0.5 } = {}) {
  const clock = new FakeClock();
  const { made, transports } = fakeTransports();
  const position = { cursor: "9f2c41aa-1" };
  const connection = new Connection({ clock, random, transports, since: () => position.cursor });
  const phases = [];
  const messages = [];
  connection.onstate = ({ phase }) => phases.push(phase);
  connection.onmessage = ({ type }) => messages.push(type);
  connection.start();
  return { clock, connection, made, phases, messages, position };
}

/** Lets the newest race be lost. */
function failAll(made) {
  for (const name of ["ws", "sse", "poll"]) made[name].at(-1).fail();
}

test("hello makes the connection up, and its messages pass on in order", () => {
  const { made, phases, messages } = startConnection();
  made.ws[0].hello();
  made.ws[0].onmessage({ type: "status" });
  made.ws[0].onmessage({ type: "heartbeat" });
  assert.deepEqual(phases, ["connecting", "up"]);
  assert.deepEqual(messages, ["hello", "status", "heartbeat"]);
});

test("a transport that goes quiet is left after one and a half heartbeats and a margin", () => {
  const { clock, made, phases } = startConnection();
  made.ws[0].hello({ heartbeat_ms: HEARTBEAT_MS });
  clock.turn(SILENCE_LIMIT_MS - 1);
  assert.equal(made.ws[0].isOpen, true);
  clock.turn(1);
  assert.equal(made.ws[0].isOpen, false);
  assert.equal(phases.at(-1), "down");
});

test("every message proves the link anew", () => {
  const { clock, made } = startConnection();
  made.ws[0].hello({ heartbeat_ms: HEARTBEAT_MS });
  for (let beat = 0; beat < 5; beat += 1) {
    clock.turn(HEARTBEAT_MS);
    made.ws[0].onmessage({ type: "heartbeat" });
  }
  clock.turn(SILENCE_LIMIT_MS - 1);
  assert.equal(made.ws[0].isOpen, true);
});

test("the heartbeat that hello names sets the limit", () => {
  const { clock, made } = startConnection();
  made.ws[0].hello({ heartbeat_ms: 1000 });
  clock.turn(3500);
  assert.equal(made.ws[0].isOpen, false);
});

test("a lost stream starts the race anew, from the last cursor", () => {
  const { clock, made, position } = startConnection();
  made.ws[0].hello();
  position.cursor = "9f2c41aa-42";
  made.ws[0].fail();
  clock.turn(250);
  assert.equal(made.ws[1].since, "9f2c41aa-42");
  clock.turn(250);
  assert.equal(made.sse[1].since, "9f2c41aa-42");
});

test("the wait before a reconnect is drawn by chance from a range that doubles up to thirty seconds", () => {
  const { clock, made } = startConnection({ random: () => 1 });
  for (const waitMs of [500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]) {
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
  assert.equal(made.ws.length, 2);
  clock.turn(1);
  made.ws[2].hello();
  clock.turn(5000);
  made.ws[2].onmessage({ type: "heartbeat" });
  made.ws[2].fail();
  clock.turn(500);
  assert.equal(made.ws.length, 4);
});

test("after bye the page stays away exactly as long as the server said", () => {
  const { clock, made, messages } = startConnection({ random: () => 1 });
  made.ws[0].hello();
  made.ws[0].onmessage({ type: "bye", reason: "stopping", retry_ms: 4321 });
  assert.equal(made.ws[0].isOpen, false);
  clock.turn(4320);
  assert.equal(made.ws.length, 1);
  clock.turn(1);
  assert.equal(made.ws.length, 2);
  assert.deepEqual(messages, ["hello"]);
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

test("a WebSocket that opens and is killed three times is not tried first the next time", () => {
  const { clock, made } = startConnection({ random: () => 0 });
  for (let round = 0; round < 3; round += 1) {
    made.ws.at(-1).hello();
    made.ws.at(-1).fail();
    clock.turn(0);
  }
  assert.equal(made.sse.at(-1).isOpen, true);
  assert.equal(made.ws.at(-1).isOpen, false);
});

test("a WebSocket that lets hello through and nothing else is not tried first after three times", () => {
  const { clock, made } = startConnection({ random: () => 0 });
  for (let round = 0; round < 3; round += 1) {
    made.ws.at(-1).hello({ heartbeat_ms: HEARTBEAT_MS });
    clock.turn(SILENCE_LIMIT_MS);
  }
  assert.equal(made.sse.at(-1).isOpen, true);
  assert.equal(made.ws.at(-1).isOpen, false);
});

test("a link that was of use in between is forgiven what it did before", () => {
  const { clock, made } = startConnection({ random: () => 0 });
  for (const livedMs of [0, 0, 5000, 0]) {
    made.ws.at(-1).hello();
    clock.turn(livedMs);
    made.ws.at(-1).onmessage({ type: "heartbeat" });
    made.ws.at(-1).fail();
    clock.turn(0);
  }
  assert.equal(made.ws.at(-1).isOpen, true);
});

test("a server that says bye three times says nothing against the transport", () => {
  const { clock, made } = startConnection();
  for (let round = 0; round < 3; round += 1) {
    made.ws.at(-1).hello();
    made.ws.at(-1).onmessage({ type: "bye", retry_ms: 100 });
    clock.turn(100);
  }
  assert.equal(made.ws.at(-1).isOpen, true);
});

test("another network is met without prejudice", () => {
  const { clock, connection, made } = startConnection({ random: () => 0 });
  for (let round = 0; round < 3; round += 1) {
    made.ws.at(-1).hello();
    made.ws.at(-1).fail();
    clock.turn(0);
  }
  made.sse.at(-1).hello();
  connection.offline();
  connection.online();
  assert.equal(made.ws.at(-1).isOpen, true);
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
  const { clock, connection, made, phases, position } = startConnection();
  made.ws[0].hello();
  position.cursor = "9f2c41aa-9";
  connection.stop();
  assert.equal(made.ws[0].isOpen, false);
  assert.equal(clock.waiting, 0);
  assert.equal(phases.at(-1), "down");
  connection.start();
  assert.equal(made.ws[1].since, "9f2c41aa-9");
});

test("what a closed transport still says is not heard", () => {
  const { connection, made, messages, phases } = startConnection();
  made.ws[0].hello();
  connection.stop();
  made.ws[0].onmessage({ type: "status" });
  made.ws[0].onstate("closed");
  assert.deepEqual(messages, ["hello"]);
  assert.equal(phases.length, 3);
});

test("stopping during a race or a wait ends it", () => {
  const { clock, connection, made } = startConnection();
  connection.stop();
  assert.equal(clock.waiting, 0);
  connection.start();
  failAll(made);
  connection.stop();
  assert.equal(clock.waiting, 0);
  connection.wake();
  connection.online();
  assert.equal(made.ws.length, 2);
});
