/** What the page learns about the rungs of its network, how it uses it, and how it is told to the next page. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { beat, failAll, HEARTBEAT_MS, startConnection, startOnPoll } from "../support/connection.mjs";
import { FakeClock } from "../support/fakes.mjs";
import { Memory } from "../../../public/live/connection/transport-memory.js";
import { Ladder } from "../../../public/state/transport-preference.js";

const SILENCE_LIMIT_MS = 24_500;

test("a rung that says hello and dies is left for the next one at once", () => {
  const { clock, made, open } = startConnection({ random: () => 0 });
  made.ws[0].hello();
  made.ws[0].fail();
  clock.turn(0);
  assert.deepEqual(open(), ["sse"]);
  made.sse[1].hello();
  made.sse[1].fail();
  clock.turn(0);
  assert.deepEqual(open(), ["poll"]);
});

test("where every rung dies young, the one that did so least comes first", () => {
  const { clock, made, open } = startConnection({ random: () => 0 });
  for (const name of ["ws", "sse", "poll", "short", "ws", "sse"]) {
    assert.deepEqual(open(), [name]);
    made[name].at(-1).hello();
    made[name].at(-1).fail();
    clock.turn(0);
  }
});

test("a rung that lets hello through and nothing else is out at once", () => {
  const { clock, made, open } = startConnection({ random: () => 0 });
  made.ws[0].hello({ heartbeat_ms: HEARTBEAT_MS });
  clock.turn(SILENCE_LIMIT_MS);
  assert.deepEqual(open(), ["sse"]);
  made.sse.at(-1).hello();
  beat(clock, made.sse.at(-1), 15_000);
  assert.deepEqual(open(), ["sse"], "and not tried again soon");
});

test("a rung that was of use is forgiven what it did before, and what ends it later says nothing", () => {
  const { clock, made, open } = startConnection({ random: () => 0 });
  made.ws[0].hello();
  made.ws[0].fail();
  clock.turn(0);
  for (const name of ["sse", "poll", "short"]) made[name][1].fail();
  made.ws[1].hello();
  beat(clock, made.ws[1], 6000);
  made.ws[1].fail();
  clock.turn(0);
  assert.deepEqual(open(), ["ws"]);
});

test("a server that says bye three times says nothing against the transport", () => {
  const { clock, made, health } = startConnection();
  for (let round = 0; round < 3; round += 1) {
    made.ws.at(-1).hello();
    made.ws.at(-1).onmessage({ type: "bye", retry_ms: 100 });
    clock.turn(100);
  }
  assert.equal(made.ws.at(-1).isOpen, true);
  assert.equal(health.asked, 0);
});

test("a server that is down says nothing against the transport, however often it goes", () => {
  const { clock, made, health, open } = startConnection({ random: () => 0 });
  health.isUp = false;
  for (let round = 0; round < 5; round += 1) {
    made.ws.at(-1).hello();
    made.ws.at(-1).fail();
    clock.turn(0);
  }
  assert.deepEqual(open(), ["ws"]);
  assert.equal(health.asked, 5);
});

test("a race that nobody wins says nothing against anybody", () => {
  const { clock, made, open } = startConnection({ random: () => 0 });
  for (let round = 0; round < 3; round += 1) {
    failAll(made);
    clock.turn(0);
  }
  assert.deepEqual(open(), ["ws"]);
});

test("another network is met without prejudice", () => {
  const { clock, connection, made } = startConnection({ random: () => 0 });
  made.ws[0].hello();
  made.ws[0].fail();
  clock.turn(0);
  made.sse[1].hello();
  connection.offline();
  connection.online();
  assert.equal(made.ws.at(-1).isOpen, true);
  assert.deepEqual(made.ws.at(-1).change, { from: "sse", why: "network" });
});

test("polling is called delayed where what streams was refused or held back, and a stream never is", () => {
  const { clock, made, states } = startConnection();
  clock.turn(250);
  made.sse[0].fail();
  clock.turn(2000);
  made.poll[0].hello();
  assert.deepEqual(states.at(-1), { phase: "up", transport: "poll", silenceLimitMs: SILENCE_LIMIT_MS, delayed: true });
  const live = startConnection();
  live.made.ws[0].fail();
  live.made.sse[0].hello();
  assert.deepEqual(live.states.at(-1), { phase: "up", transport: "sse", silenceLimitMs: SILENCE_LIMIT_MS });
});

test("the first request after a change of rung says from which and why", () => {
  const { clock, made } = startConnection({ random: () => 0 });
  assert.equal(made.ws[0].change, undefined);
  made.ws[0].hello({ heartbeat_ms: HEARTBEAT_MS });
  clock.turn(SILENCE_LIMIT_MS);
  assert.deepEqual(made.sse[1].change, { from: "ws", why: "silent" });
  made.sse[1].hello();
  made.sse[1].fail();
  clock.turn(0);
  assert.deepEqual(made.poll[2].change, { from: "sse", why: "died" });
});

test("a rung that comes back to itself does not say so", () => {
  const { clock, made } = startConnection({ random: () => 0 });
  made.ws[0].hello();
  beat(clock, made.ws[0], 6000);
  made.ws[0].fail();
  clock.turn(0);
  assert.equal(made.ws[1].change, undefined);
  clock.turn(250);
  assert.deepEqual(made.sse[1].change, { from: "ws", why: "died" });
});

test("the next page starts on the rung that worked, with the better ones right behind it", () => {
  const { clock, open } = startConnection({ remembered: "poll" });
  assert.deepEqual(open(), ["poll"]);
  clock.turn(250);
  assert.deepEqual(open(), ["ws", "poll"]);
  clock.turn(250);
  assert.deepEqual(open(), ["ws", "sse", "poll"]);
});

test("what was only remembered is not remembered for longer, what was found is", () => {
  const known = startConnection({ remembered: "poll" });
  known.made.poll[0].hello();
  assert.deepEqual(known.memory.writes, []);
  assert.equal(known.states.at(-1).delayed, true, "the page before had found the others wanting");
  assert.deepEqual(startOnPoll().memory.writes, ["poll"]);
});

function openMemory(storage = new Map()) {
  const clock = new FakeClock();
  const open = () => ({ getItem: (key) => storage.get(key) ?? null, setItem: (key, text) => storage.set(key, text) });
  return { clock, storage, memory: new Memory({ open, clock, names: ["ws", "sse", "poll", "short"] }) };
}

test("a rung is remembered for half an hour, in one entry", () => {
  const { clock, storage, memory } = openMemory();
  const at = clock.now();
  memory.write("sse");
  assert.deepEqual([...storage], [["petstore.rung", JSON.stringify({ rung: "sse", at })]]);
  clock.turn(30 * 60_000 - 1);
  assert.equal(memory.read(), "sse");
  clock.turn(1);
  assert.equal(memory.read(), null);
});

test("a network that the demo pretends has a memory of its own", () => {
  const { clock, storage, memory } = openMemory();
  const open = () => ({ getItem: (key) => storage.get(key) ?? null, setItem: (key, text) => storage.set(key, text) });
  const pretended = new Memory({ open, clock, names: ["ws", "sse"], chaos: "refuse-ws" });
  pretended.write("sse");
  assert.equal(memory.read(), null);
  assert.equal(pretended.read(), "sse");
});

test("what was not written by us, or in the future, is no memory", () => {
  const { clock, memory } = openMemory();
  assert.equal(memory.read(), null);
  for (const text of ["", "null", "{}", "[]", '{"rung":"pigeon","at":1}', `{"rung":"sse","at":${clock.now() + 1}}`]) {
    assert.equal(openMemory(new Map([["petstore.rung", text]])).memory.read(), null, text);
  }
});

test("where storage is forbidden or full, the page does without", () => {
  const forbidden = () => {
    throw new Error("SecurityError");
  };
  const memory = new Memory({ open: forbidden, clock: new FakeClock(), names: ["ws"] });
  memory.write("ws");
  assert.equal(memory.read(), null);
});

test("a remembered rung that has struck out since is not tried first", () => {
  const ladder = new Ladder(["ws", "sse", "poll", "short"], { read: () => "sse", write: () => {} });
  ladder.recall();
  assert.deepEqual(ladder.order(), ["sse", "ws", "poll", "short"]);
  ladder.blame("sse", "lag");
  assert.deepEqual(ladder.order(), ["ws", "poll", "short", "sse"]);
});
