/** The preference of transports that a page learns on its network, and stores for the next page. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { beat, failAll, HEARTBEAT_MS, startConnection, startOnPoll } from "../support/connection.mjs";
import { fake, FakeClock, last, settle } from "../support/fakes.mjs";
import { TransportMemory } from "../../../public/petstore/connection/transport-memory.js";
import { TransportPreference } from "../../../public/petstore/connection/transport-preference.js";
/** @import { TransportName } from "../../../public/petstore/transports/transport.js" */

/** A WebSocket is asked after 1.2 heartbeats, and has two seconds for the answer. */
const SILENCE_LIMIT_MS = 20_000;

test("a transport that dies after its hello is left for the next one immediately", () => {
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

test("if every transport fails, the one with the fewest failures comes first", () => {
  const { clock, made, open } = startConnection({ random: () => 0 });
  for (const together of /** @type {TransportName[][]} */ ([["ws", "sse"], ["sse"], ["poll"], ["short"], ["ws", "sse"], ["sse"]])) {
    const [name] = together;
    assert.deepEqual(open(), together);
    last(made[name]).hello();
    last(made[name]).fail();
    clock.turn(0);
  }
});

test("a transport that delivers only hello counts as failing immediately", () => {
  const { clock, made, open } = startConnection({ random: () => 0 });
  made.ws[0].hello({ heartbeat_ms: HEARTBEAT_MS });
  clock.turn(SILENCE_LIMIT_MS);
  assert.deepEqual(open(), ["sse"]);
  last(made.sse).hello();
  beat(clock, last(made.sse), 15_000);
  assert.deepEqual(open(), ["sse"], "and not tried again soon");
});

test("a useful link clears earlier failures, and its later end is not a failure", () => {
  const { clock, made, open } = startConnection({ random: () => 0 });
  made.ws[0].hello();
  made.ws[0].fail();
  clock.turn(0);
  for (const name of /** @type {const} */ (["sse", "poll", "short"])) last(made[name]).fail();
  made.ws[1].hello();
  beat(clock, made.ws[1], 6000);
  made.ws[1].fail();
  clock.turn(0);
  assert.deepEqual(open(), ["ws"]);
});

test("a bye is never a failure of the transport", () => {
  const { clock, made, health } = startConnection();
  for (let round = 0; round < 3; round += 1) {
    last(made.ws).hello();
    last(made.ws).onmessage({ type: "bye", retry_ms: 100 });
    clock.turn(100);
  }
  assert.equal(last(made.ws).isOpen, true);
  assert.equal(health.checks, 0);
});

test("a server that is down is never a failure of the transport", () => {
  const { clock, made, health, open } = startConnection({ random: () => 0 });
  health.isUp = false;
  for (let round = 0; round < 5; round += 1) {
    last(made.ws).hello();
    last(made.ws).fail();
    clock.turn(0);
  }
  assert.deepEqual(open(), ["ws"]);
  assert.equal(health.checks, 5);
});

test("a lost race is not a failure of any transport", async () => {
  const { clock, made, open, catchUp } = startConnection({ random: () => 0 });
  for (let round = 0; round < 3; round += 1) {
    await failAll({ made, catchUp });
    clock.turn(0);
  }
  assert.deepEqual(open(), ["ws", "sse"]);
});

test("on another network nothing counts that was learned before", () => {
  const { clock, connection, made } = startConnection({ random: () => 0 });
  made.ws[0].hello();
  made.ws[0].fail();
  clock.turn(0);
  made.sse[1].hello();
  connection.offline();
  connection.online();
  assert.equal(last(made.ws).isOpen, true);
  assert.deepEqual(last(made.ws).cause, { from: "sse", why: "network" });
});

test("the first request after a switch says from which transport and why", () => {
  const { clock, made } = startConnection({ random: () => 0 });
  assert.equal(made.ws[0].cause, undefined);
  made.ws[0].hello({ heartbeat_ms: HEARTBEAT_MS });
  clock.turn(SILENCE_LIMIT_MS);
  assert.deepEqual(made.sse[1].cause, { from: "ws", why: "silent" });
  made.sse[1].hello();
  made.sse[1].fail();
  clock.turn(0);
  assert.deepEqual(made.poll[0].cause, { from: "sse", why: "died" });
});

test("a transport that replaces itself sends no switch", () => {
  const { clock, made } = startConnection({ random: () => 0 });
  made.ws[0].hello();
  beat(clock, made.ws[0], 6000);
  made.ws[0].fail();
  clock.turn(0);
  assert.equal(made.ws[1].cause, undefined);
  clock.turn(3_000);
  assert.deepEqual(made.sse[1].cause, { from: "ws", why: "died" });
});

test("a remembered transport keeps its expiry, and a new one is stored", async () => {
  const known = startConnection({ remembered: "poll" });
  known.catchUp.asked[0].answer();
  await settle();
  assert.deepEqual([known.inUse(), known.memory.writes], ["poll", []]);
  assert.deepEqual((await startOnPoll()).memory.writes, ["poll"]);
});

const SERVER = "https://rescue.example";
const KEY = `petstore.transport ${SERVER}`;

/** A memory in this storage. @param {Map<string, string>} storage */
function openMemory(storage = new Map(), chaos = "", site = SERVER) {
  const clock = new FakeClock();
  const getItem = (/** @type {string} */ key) => storage.get(key) ?? null;
  const setItem = (/** @type {string} */ key, /** @type {string} */ text) => void storage.set(key, text);
  const open = () => fake({ getItem, setItem });
  const memory = new TransportMemory({ open, clock, names: ["ws", "sse", "poll", "short"], watch: { site, chaos } });
  return { clock, storage, memory };
}

test("a transport is stored for half an hour, in one entry", () => {
  const { clock, storage, memory } = openMemory();
  const at = clock.now();
  memory.write("sse");
  assert.deepEqual([...storage], [[KEY, JSON.stringify({ name: "sse", at })]]);
  clock.turn(30 * 60_000 - 1);
  assert.equal(memory.read(), "sse");
  clock.turn(1);
  assert.equal(memory.read(), null);
});

test("each simulated network of the demo has its own memory", () => {
  const { storage, memory } = openMemory();
  const simulated = openMemory(storage, "refuse-ws").memory;
  simulated.write("sse");
  assert.equal(memory.read(), null);
  assert.equal(simulated.read(), "sse");
});

test("each server has its own memory", () => {
  const { storage, memory } = openMemory();
  openMemory(storage, "", "https://another.example").memory.write("poll");
  assert.equal(memory.read(), null);
  memory.write("sse");
  assert.equal(memory.read(), "sse");
});

test("invalid entries, and entries from the future, are ignored", () => {
  const { clock, memory } = openMemory();
  assert.equal(memory.read(), null);
  for (const text of ["", "null", "{}", "[]", '{"name":"pigeon","at":1}', `{"name":"sse","at":${clock.now() + 1}}`]) {
    assert.equal(openMemory(new Map([[KEY, text]])).memory.read(), null, text);
  }
});

test("if storage is forbidden or full, nothing is stored", () => {
  const forbidden = () => {
    throw new Error("SecurityError");
  };
  const memory = new TransportMemory({ open: forbidden, clock: new FakeClock(), names: ["ws"], watch: { site: SERVER } });
  memory.write("ws");
  assert.equal(memory.read(), null);
});

test("a remembered transport that has failed since is not tried first", () => {
  const preference = new TransportPreference(["ws", "sse", "poll", "short"], { read: () => "sse", write: () => {} });
  preference.restore();
  assert.deepEqual(preference.steps(), [["sse"], ["ws"], ["poll"], ["short"]]);
  preference.recordFailure("sse", "lag");
  assert.deepEqual(preference.steps(), [["ws"], ["poll"], ["short"], ["sse"]]);
});
