/** The race that finds a transport that works, and then the best one. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { beat, NAMES, START, startConnection } from "../support/connection.mjs";
import { last, settle } from "../support/fakes.mjs";
/** @import { TransportName } from "../../../public/petstore/transports/transport.js" */
/** @import { Options } from "../support/connection.mjs" */

const MAX_HEAD_START_MS = 3_000;
const status = (/** @type {number} */ rev) => ({ type: "status", cursor: `9f2c41aa-${rev}`, pet: 1 });

/**
 * A page whose first poll was answered.
 * @param {number} roundTripMs
 * @param {Options} [options]
 */
async function startMeasured(roundTripMs, options) {
  const parts = startConnection(options);
  parts.clock.turn(roundTripMs);
  parts.catchUp.asked[0].answer([], roundTripMs);
  await settle();
  return parts;
}

test("at a first visit both streams and the first poll start in the same moment, at the cursor of the page", () => {
  const { open, made, catchUp } = startConnection();
  assert.deepEqual(open(), ["ws", "sse"]);
  assert.deepEqual([made.ws[0].since, made.sse[0].since, catchUp.asked[0].since], [START, START, START]);
});

for (const { roundTripMs, headStartMs } of [
  { roundTripMs: 0, headStartMs: 50 },
  { roundTripMs: 150, headStartMs: 350 },
  { roundTripMs: 2_500, headStartMs: MAX_HEAD_START_MS },
]) {
  test(`with a round trip of ${roundTripMs} ms, polling starts ${headStartMs} ms after silent streams`, async () => {
    const { clock, open, inUse, made } = await startMeasured(roundTripMs);
    clock.turn(headStartMs - roundTripMs - 1);
    assert.deepEqual(open(), ["ws", "sse"]);
    await clock.run(1);
    assert.equal(inUse(), "poll", "with the hello of the first poll");
    assert.equal(made.poll[0].helloBefore?.type, "hello");
    assert.deepEqual(made.poll[0].cause, { from: "sse", why: "silent" });
    assert.deepEqual(open(), ["ws", "sse", "poll"], "the streams stay candidates");
  });
}

test("if both streams fail, polling starts with the answer of the first poll, without another request", async () => {
  const { made, open, inUse, catchUp, phases } = startConnection();
  made.ws[0].fail();
  made.sse[0].fail();
  await settle();
  assert.deepEqual(open(), []);
  catchUp.asked[0].answer();
  await settle();
  assert.deepEqual([open(), inUse(), phases()], [["poll"], "poll", ["connecting", "up"]]);
  assert.deepEqual(made.poll[0].cause, { from: "ws", why: "refused" });
});

test("if the first poll fails, polling asks for its own hello", async () => {
  const { made, inUse, catchUp } = startConnection();
  made.ws[0].fail();
  made.sse[0].fail();
  catchUp.asked[0].fail();
  await settle();
  assert.deepEqual([made.poll[0].isOpen, made.poll[0].helloBefore, inUse()], [true, undefined, undefined]);
  made.poll[0].hello();
  assert.equal(inUse(), "poll");
});

test("without an answer to the first poll, short polling starts after two head starts", () => {
  const { clock, open } = startConnection();
  clock.turn(2 * MAX_HEAD_START_MS - 1);
  assert.deepEqual(open(), ["ws", "sse"]);
  clock.turn(1);
  assert.deepEqual(open(), ["ws", "sse", "short"]);
});

test("the messages of the first poll are used immediately, and no change comes twice", async () => {
  const { made, messages, page, catchUp } = startConnection();
  catchUp.asked[0].answer([status(2), status(3)]);
  await settle();
  assert.equal(page.cursor, "9f2c41aa-3");
  made.ws[0].hello();
  for (const rev of [2, 3, 4]) made.ws[0].onmessage(status(rev));
  assert.deepEqual(messages.map(({ type, cursor }) => `${type} ${cursor}`), [
    "status 9f2c41aa-2",
    "status 9f2c41aa-3",
    "hello 9f2c41aa-1",
    "status 9f2c41aa-4",
  ]);
});

test("an answer to the first poll after a stream delivered changes nothing that the page has", async () => {
  const { made, types, catchUp } = startConnection();
  made.ws[0].hello();
  made.ws[0].onmessage(status(2));
  catchUp.asked[0].answer([status(2)]);
  await settle();
  assert.deepEqual(types(), ["hello", "status"]);
});

test("a worse transport that is slower is closed, and nothing else starts", () => {
  const { clock, open, made, inUse } = startConnection();
  made.ws[0].hello();
  assert.deepEqual([open(), inUse()], [["ws"], "ws"]);
  beat(clock, made.ws[0], 60_000);
  assert.deepEqual(open(), ["ws"]);
});

test("a better transport that is slower takes over on the same connection, once it was useful", () => {
  const { clock, open, made, inUse, phases } = startConnection();
  made.sse[0].hello();
  assert.equal(inUse(), "sse");
  clock.turn(100);
  made.ws[0].hello();
  made.ws[0].onmessage(status(2));
  beat(clock, made.sse[0], 5_999, 1_000);
  assert.deepEqual([open(), inUse()], [["ws", "sse"], "sse"]);
  made.ws[0].onmessage(status(3));
  assert.deepEqual([open(), inUse()], [["ws"], "ws"]);
  assert.equal(made.ws.length, 1, "without a second dial");
  assert.deepEqual(phases(), ["connecting", "up", "up"]);
});

test("a better transport that worked on an earlier page takes over with its hello", () => {
  const { clock, open, made, inUse } = startConnection({ remembered: "ws" });
  clock.turn(MAX_HEAD_START_MS);
  made.sse[0].hello();
  assert.deepEqual([open(), inUse()], [["ws", "sse"], "sse"]);
  made.ws[0].hello();
  assert.deepEqual([open(), inUse()], [["ws"], "ws"]);
});

for (const why of /** @type {const} */ (["died", "silent"])) {
  test(`a candidate that ${why} together with the link in use has not failed, and returns with its hello`, () => {
    const { clock, made, health, open, inUse } = startConnection({ random: () => 0 });
    made.sse[0].hello({ heartbeat_ms: 15_000 });
    made.ws[0].hello({ heartbeat_ms: why === "died" ? 15_000 : 1_000 });
    health.isUp = false;
    if (why === "died") made.ws[0].fail();
    else beat(clock, made.sse[0], 4_000);
    assert.deepEqual(open(), ["sse"]);
    made.sse[0].fail();
    clock.turn(0);
    last(made.sse).hello();
    clock.turn(250);
    assert.deepEqual([open(), inUse()], [["ws", "sse"], "sse"]);
    last(made.ws).hello();
    assert.deepEqual([open(), inUse()], [["ws"], "ws"]);
  });
}

test("a page that is closed by a message of a candidate stays closed", () => {
  const { clock, connection, made, open, phases } = startConnection();
  made.sse[0].hello();
  made.ws[0].hello();
  beat(clock, made.sse[0], 6_000);
  connection.onmessage = ({ type }) => type === "status" && connection.stop();
  made.ws[0].onmessage(status(2));
  assert.deepEqual([open(), phases().at(-1), clock.waiting], [[], "down", 0]);
});

test("a page that loses its link while a better candidate delivers continues with that one", () => {
  const { made, open, inUse, phases } = startConnection();
  made.sse[0].hello();
  made.ws[0].hello();
  made.sse[0].fail();
  assert.deepEqual([open(), inUse()], [["ws"], "ws"]);
  assert.ok(!phases().includes("down"));
});

test("a better transport that says nothing within ten seconds is closed, and tried again in two minutes", () => {
  const { clock, made, open } = startConnection();
  made.sse[0].hello();
  beat(clock, made.sse[0], 9_999, 1_111);
  assert.deepEqual(open(), ["ws", "sse"]);
  beat(clock, made.sse[0], 1, 1);
  assert.deepEqual(open(), ["sse"]);
  beat(clock, made.sse[0], 2 * 60_000, 10_000);
  assert.deepEqual([open(), made.ws.length], [["ws", "sse"], 2]);
});

test("a candidate that says hello within the ten seconds has the time that it needs to prove itself", () => {
  const { clock, made, open, inUse } = startConnection();
  made.sse[0].hello();
  beat(clock, made.sse[0], 9_000);
  made.ws[0].hello();
  beat(clock, made.sse[0], 6_000);
  assert.deepEqual([open(), inUse()], [["ws", "sse"], "sse"]);
  made.ws[0].onmessage(status(2));
  assert.deepEqual([open(), inUse()], [["ws"], "ws"]);
});

test("the next page starts with the transport that worked, and the others follow after four round trips", async () => {
  const { clock, open, made } = await startMeasured(100, { remembered: "ws" });
  assert.deepEqual(open(), ["ws"]);
  clock.turn(349);
  assert.deepEqual(open(), ["ws"]);
  clock.turn(1);
  assert.deepEqual(open(), ["ws", "sse"]);
  await clock.run(250);
  assert.deepEqual([open(), made.poll[0].isOpen], [["ws", "sse", "poll"], true]);
});

test("a remembered transport that is quick is the only one", async () => {
  const { clock, open, made } = await startMeasured(20, { remembered: "ws" });
  made.ws[0].hello();
  beat(clock, made.ws[0], 30_000);
  assert.deepEqual([open(), made.sse.length, made.poll.length], [["ws"], 0, 0]);
});

test("a remembered polling transport starts with the first poll", async () => {
  const { open, inUse } = await startMeasured(20, { remembered: "poll" });
  assert.deepEqual([open(), inUse()], [["poll"], "poll"]);
});

/** @type {[string, (parts: ReturnType<typeof startConnection>) => void][]} */
const STOPS = [
  ["says bye", ({ made }) => made.sse[0].onmessage({ type: "bye", reason: "stopping", retry_ms: 100 })],
  ["was killed", ({ made, health }) => ((health.isUp = false), made.sse[0].fail())],
  ["was killed later", ({ made, clock }) => (beat(clock, made.sse[0], 6_000), made.sse[0].fail())],
];
for (const [how, stop] of STOPS) {
  test(`after a server that ${how}, a page dials only the transport that worked, and sends no first poll`, () => {
    const parts = startConnection({ random: () => 0.2 });
    const { clock, made, open, catchUp } = parts;
    made.ws[0].fail();
    made.sse[0].hello();
    stop(parts);
    clock.turn(100);
    assert.deepEqual(open(), ["sse"]);
    clock.turn(MAX_HEAD_START_MS - 1);
    assert.deepEqual([open(), made.ws.length], [["sse"], 1]);
    clock.turn(1);
    assert.deepEqual([open(), catchUp.asked.length], [["ws", "sse"], 1]);
  });
}

test("a page whose transport is refused after a stop dials it alone twice, and every transport at the third attempt", () => {
  const { clock, made, open, phases } = startConnection({ random: () => 0 });
  made.ws[0].hello();
  made.ws[0].onmessage({ type: "bye", reason: "stopping", retry_ms: 100 });
  for (const waitMs of [100, 0]) {
    clock.turn(waitMs);
    assert.deepEqual(open(), ["ws"]);
    last(made.ws).fail();
    assert.deepEqual([open(), phases().at(-1)], [[], "down"]);
  }
  clock.turn(0);
  last(made.ws).fail();
  assert.deepEqual(open(), ["sse"]);
});

test("a change that is missing is fetched immediately, and another transport is used", async () => {
  const { clock, made, open, catchUp, messages } = startConnection({ random: () => 0.5 });
  made.ws[0].hello();
  beat(clock, made.ws[0], 7_000);
  made.ws[0].onmessage(status(2));
  made.ws[0].onmessage({ ...status(4), after: "9f2c41aa-3" });
  assert.equal(catchUp.asked[1].since, "9f2c41aa-2");
  catchUp.asked[1].answer([status(3), status(4)]);
  await settle();
  assert.equal(messages.at(-1)?.cursor, "9f2c41aa-4");
  clock.turn(250);
  assert.deepEqual([open(), made.sse[1].since], [["sse"], "9f2c41aa-4"]);
  assert.deepEqual(made.sse[1].cause, { from: "ws", why: "gap" });
});

test("an open stream that delivers nothing is not used", () => {
  const { made, inUse } = startConnection();
  made.ws[0].onstate("open");
  assert.equal(inUse(), undefined);
});

/** Makes the hello of a transport late. @param {ReturnType<typeof startConnection>} parts @param {TransportName} name */
function helloLate({ clock, serverClock, sent, made }, name) {
  serverClock.sync(sent());
  clock.turn(5_000);
  last(made[name]).hello({ server_time: sent(5_000) });
}

test("a transport whose hello is late is closed, and the others go on", () => {
  const parts = startConnection();
  helloLate(parts, "ws");
  assert.deepEqual([parts.open(), parts.inUse()], [["sse"], undefined]);
  parts.made.sse[0].hello({ server_time: parts.sent() });
  assert.equal(parts.inUse(), "sse");
});

test("a late hello does not win, unless every hello is late", async () => {
  const { clock, made, catchUp, serverClock, sent, open, inUse } = startConnection({ random: () => 0 });
  serverClock.sync(sent());
  catchUp.asked[0].fail();
  await clock.run(6000);
  made.ws[0].hello({ server_time: sent(5000) });
  assert.deepEqual(open(), ["sse", "poll", "short"]);
  for (const name of NAMES.slice(1)) made[name][0].fail();
  clock.turn(0);
  clock.turn(6000);
  made.ws[1].hello({ server_time: sent(5000) });
  assert.equal(inUse(), "ws");
});

test("a race is lost when every transport has failed, with the server's retry time", async () => {
  const { clock, made, catchUp, phases } = startConnection({ random: () => 1 });
  made.ws[0].fail();
  made.sse[0].fail();
  catchUp.asked[0].fail();
  await settle();
  made.poll[0].fail({ retryMs: 3_000 });
  assert.deepEqual(phases(), ["connecting"]);
  made.short[0].fail();
  assert.deepEqual(phases(), ["connecting", "down"]);
  clock.turn(2_999);
  assert.equal(made.ws.length, 1);
  clock.turn(1);
  assert.equal(made.ws.length, 2);
});

test("a race in which nothing arrives is lost after ten seconds", () => {
  const { clock, phases, open } = startConnection({ random: () => 1 });
  clock.turn(9_999);
  assert.deepEqual(phases(), ["connecting"]);
  clock.turn(1);
  assert.deepEqual(phases(), ["connecting", "down"]);
  assert.deepEqual(open(), []);
});

test("after a bye instead of a hello no other transport is tried", () => {
  const { clock, made, open } = startConnection();
  made.ws[0].onmessage({ type: "bye", reason: "full", retry_ms: 1_200 });
  assert.deepEqual(open(), []);
  clock.turn(1_199);
  assert.deepEqual([open(), made.ws.length], [[], 1]);
});

test("a candidate that gets a bye is dropped, and the link in use stays", () => {
  const { made, open } = startConnection();
  made.sse[0].hello();
  made.ws[0].onmessage({ type: "bye", reason: "full", retry_ms: 1_200 });
  assert.deepEqual(open(), ["sse"]);
});

test("a transport that cannot even start does not stop the one beside it", () => {
  const parts = startConnection({ broken: "ws" });
  assert.deepEqual([parts.open(), parts.made.poll.length], [["sse"], 0]);
});
