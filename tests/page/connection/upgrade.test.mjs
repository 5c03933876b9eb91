/** Upgrades to a better transport, and the handover from one link to the next. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { last, settle } from "../support/fakes.mjs";
import { beat, HEARTBEAT_MS, pollOn, START, startConnection, startOnPoll } from "../support/connection.mjs";
/** @import { TransportName } from "../../../public/petstore/transports/transport.js" */
/** @import { Parts } from "../support/connection.mjs" */

const MINUTE_MS = 60_000;

/**
 * Fails every attempt, and returns when they were made, in minutes from now.
 * @param {Parts} parts
 * @param {number} minutes
 */
function attemptsWithin(parts, minutes) {
  const { clock, made } = parts;
  const start = clock.elapsed();
  const at = [];
  let seen = made.ws.length;
  for (let past = 0; past < minutes * MINUTE_MS; past += 5_000) {
    pollOn(parts, 5_000);
    if (made.ws.length === seen) continue;
    seen = made.ws.length;
    at.push(Math.round((clock.elapsed() - start) / MINUTE_MS));
    last(made.ws).fail();
    last(made.sse).fail();
  }
  return at;
}

test("refused transports are tried after two minutes, doubling up to thirty", async () => {
  assert.deepEqual(attemptsWithin(await startOnPoll(), 125), [2, 6, 14, 30, 60, 90, 120]);
});

test("transports that this page did not try are tried after ten seconds", async () => {
  const parts = startConnection({ remembered: "poll" });
  parts.catchUp.asked[0].answer();
  await settle();
  pollOn(parts, 9_999);
  assert.deepEqual(parts.open(), ["poll"]);
  pollOn(parts, 1);
  assert.deepEqual(parts.open(), ["ws", "sse", "poll"]);
  last(parts.made.ws).fail();
  last(parts.made.sse).fail();
  assert.deepEqual(attemptsWithin(parts, 7), [2, 6]);
});

test("a transport that died once is tried soon, but not after three times", async () => {
  const parts = startConnection({ random: () => 0 });
  const { clock, made, open } = parts;
  made.ws[0].hello();
  made.ws[0].fail();
  clock.turn(0);
  made.sse[1].fail();
  last(made.poll).hello();
  for (const waitMs of [10_000, 2 * MINUTE_MS]) {
    pollOn(parts, waitMs);
    assert.deepEqual(open(), ["sse", "poll"]);
    last(made.sse).fail();
    assert.deepEqual(open(), ["ws", "poll"]);
    last(made.ws).hello();
    last(made.ws).fail();
  }
  // The link in use survives the attempt.
  pollOn(parts, 10_000);
  last(made.poll).fail();
  clock.turn(0);
  last(made.poll).hello();
  pollOn(parts, 15_000);
  assert.deepEqual(open(), ["poll"]);
  pollOn(parts, 2 * MINUTE_MS - 15_000);
  assert.deepEqual(open(), ["sse", "poll"]);
});

test("a transport that is still the best after an attempt is stored again", async () => {
  const parts = startConnection({ remembered: "poll" });
  parts.catchUp.asked[0].answer();
  await settle();
  pollOn(parts, 10_000);
  assert.deepEqual(parts.memory.writes, []);
  last(parts.made.ws).fail();
  last(parts.made.sse).fail();
  assert.deepEqual(parts.memory.writes, ["poll"]);
});

/** The server stopped, refuses the page twice, and then every stream while it starts. @param {Parts} parts */
function returnOnPoll({ clock, made, open }) {
  for (const waitMs of [100, 0, 0]) {
    clock.turn(waitMs);
    assert.deepEqual(open(), ["ws"]);
    last(made.ws).fail();
  }
  last(made.sse).fail();
  last(made.poll).hello();
}

/** @type {[string, (parts: Parts) => void][]} */
const SERVER_ENDS = [
  ["stopped", ({ made }) => made.ws[0].onmessage({ type: "bye", retry_ms: 100 })],
  ["was killed", ({ made, health }) => ((health.isUp = false), made.ws[0].fail())],
  ["went away later", ({ made, clock }) => (beat(clock, made.ws[0], 6000), made.ws[0].fail())],
];
for (const [how, end] of SERVER_ENDS) {
  test(`after a restart of the server the page returns to its transport immediately (the server ${how})`, async () => {
    const parts = startConnection({ random: () => 0 });
    const { clock, made, open, inUse, phases } = parts;
    made.ws[0].hello();
    end(parts);
    returnOnPoll(parts);
    assert.equal(inUse(), "poll");
    clock.turn(250);
    last(made.ws).hello();
    assert.equal(inUse(), "ws");
    assert.deepEqual(open(), ["ws"]);
    assert.equal(phases().at(-1), "up");
  });
}

test("a transport that worked before, and is refused even now that the server is up, is tried in two minutes", async () => {
  const parts = startConnection({ random: () => 0 });
  const { clock, made } = parts;
  made.ws[0].hello();
  made.ws[0].onmessage({ type: "bye", retry_ms: 100 });
  returnOnPoll(parts);
  clock.turn(250);
  last(made.ws).fail();
  last(made.sse).fail();
  assert.deepEqual(attemptsWithin(parts, 7), [2, 6]);
});

test("an attempt sends its switch, and starts at the cursor of the page", async () => {
  const parts = await startOnPoll();
  parts.page.cursor = "9f2c41aa-8";
  pollOn(parts, 2 * MINUTE_MS);
  assert.deepEqual(last(parts.made.ws).cause, { from: "poll", why: "upgrade" });
  assert.equal(last(parts.made.ws).since, "9f2c41aa-8");
});

test("the page switches once the better transport was useful, and not before", async () => {
  const parts = await startOnPoll();
  const { clock, made, open, inUse, states, memory } = parts;
  pollOn(parts, 2 * MINUTE_MS);
  last(made.ws).hello({ heartbeat_ms: HEARTBEAT_MS });
  clock.turn(5_999);
  last(made.ws).onmessage({ type: "heartbeat", cursor: START });
  assert.equal(inUse(), "poll");
  clock.turn(1);
  last(made.ws).onmessage({ type: "heartbeat", cursor: START });
  assert.deepEqual(open(), ["ws"]);
  assert.deepEqual(last(states), { phase: "up", transport: "ws", silenceLimitMs: 24_500 });
  assert.deepEqual(
    states.filter(({ phase }) => phase !== "up").map(({ phase }) => phase),
    ["connecting"],
    "no other state in between",
  );
  assert.equal(memory.name, "ws");
});

test("the page does not switch to a transport that has not delivered what the page has", async () => {
  const parts = await startOnPoll();
  const { clock, made, page, inUse } = parts;
  pollOn(parts, 2 * MINUTE_MS);
  page.cursor = "9f2c41aa-9";
  last(made.ws).hello();
  clock.turn(6_000);
  last(made.ws).onmessage({ type: "status", cursor: "9f2c41aa-8" });
  assert.equal(inUse(), "poll");
  last(made.ws).onmessage({ type: "status", cursor: "9f2c41aa-9" });
  assert.equal(inUse(), "ws");
});

test("a better transport that dies, or delivers only hello, is dropped without a visible effect", async () => {
  const dies = await startOnPoll();
  pollOn(dies, 2 * MINUTE_MS);
  last(dies.made.ws).hello();
  last(dies.made.ws).fail();
  const eats = await startOnPoll();
  pollOn(eats, 2 * MINUTE_MS);
  last(eats.made.ws).hello({ heartbeat_ms: 1000 });
  pollOn(eats, 5_000);
  for (const { made, open, inUse, states } of [dies, eats]) {
    assert.equal(last(made.ws).isOpen, false);
    assert.deepEqual(open(), ["sse", "poll"], "the next better one is tried");
    assert.equal(inUse(), "poll");
    assert.ok(!states.some(({ phase }) => phase === "down"));
  }
});

test("after an online event the better transports are tried immediately, and the delays start again", async () => {
  const parts = await startOnPoll();
  attemptsWithin(parts, 10);
  parts.connection.online();
  last(parts.made.poll).hello();
  assert.deepEqual(parts.open(), ["ws", "sse", "poll"]);
  last(parts.made.ws).fail();
  last(parts.made.sse).fail();
  assert.deepEqual(attemptsWithin(parts, 7), [2, 6]);
});

test("a browser that saves data makes no attempts, except after an online event", async () => {
  const parts = await startOnPoll();
  parts.page.savesData = true;
  assert.deepEqual(attemptsWithin(parts, 60), []);
  parts.connection.online();
  assert.deepEqual(parts.open(), ["ws", "sse", "poll"]);
});

test("a page that becomes visible makes no early attempt", async () => {
  const parts = await startOnPoll();
  pollOn(parts, MINUTE_MS);
  parts.connection.wake();
  assert.deepEqual(parts.open(), ["poll"]);
});

test("a page that loses its link continues with the candidate", async () => {
  const parts = await startOnPoll();
  const { made, open, phases, inUse } = parts;
  pollOn(parts, 2 * MINUTE_MS);
  last(made.ws).hello();
  last(made.poll).fail();
  assert.deepEqual(open(), ["ws"]);
  assert.equal(inUse(), "ws");
  assert.ok(!phases().includes("down"));
});

test("a bye ends the attempt, and is not a failure of the transport", async () => {
  const parts = await startOnPoll();
  pollOn(parts, 2 * MINUTE_MS);
  last(parts.made.ws).hello();
  last(parts.made.ws).onmessage({ type: "bye", retry_ms: 100 });
  last(parts.made.sse).onmessage({ type: "bye", retry_ms: 100 });
  assert.deepEqual(parts.open(), ["poll"]);
});

test("stopping ends the attempt", async () => {
  const parts = await startOnPoll();
  pollOn(parts, 2 * MINUTE_MS);
  last(parts.made.ws).hello();
  parts.connection.stop();
  assert.deepEqual(parts.open(), []);
  assert.equal(parts.clock.waiting, 0);
});

/** A page that polls, with a WebSocket as candidate that was opened at rev 1. */
async function startBoth() {
  const parts = await startOnPoll();
  pollOn(parts, 2 * MINUTE_MS);
  last(parts.made.ws).hello();
  parts.messages.length = 0;
  const send = (/** @type {TransportName} */ name) => (/** @type {string} */ type, /** @type {number} */ rev) =>
    last(parts.made[name]).onmessage({ type, cursor: `9f2c41aa-${rev}`, pet: 1, pets: [] });
  return { ...parts, ws: send("ws"), poll: send("poll") };
}

/** Returns what the page received, e.g. "status 2". @param {Pick<Parts, "messages">} parts */
const received = ({ messages }) => messages.map(({ type, cursor }) => `${type} ${cursor.split("-")[1]}`);

test("messages of two links are passed on once and in order, whichever was first", async () => {
  const parts = await startBoth();
  parts.poll("status", 2);
  parts.ws("status", 2);
  parts.ws("pet", 3);
  parts.ws("gone", 4);
  parts.poll("pet", 3);
  parts.poll("gone", 4);
  parts.poll("status", 5);
  assert.deepEqual(received(parts), ["status 2", "pet 3", "gone 4", "status 5"]);
});

test("the hello of a candidate is passed on when the page switches", async () => {
  const parts = await startBoth();
  parts.clock.turn(6_000);
  parts.ws("heartbeat", 1);
  assert.deepEqual(received(parts), ["heartbeat 1", "hello 1"]);
});

test("a snapshot that another link has overtaken is dropped", async () => {
  const parts = await startBoth();
  parts.poll("status", 5);
  parts.ws("snapshot", 4);
  parts.ws("status", 5);
  parts.ws("snapshot", 6);
  assert.deepEqual(received(parts), ["status 5", "snapshot 6"]);
});

test("a snapshot that is older than the cursor of the link is passed on: the server went back", async () => {
  const parts = startConnection();
  parts.page.cursor = "9f2c41aa-50";
  parts.made.ws[0].since = "";
  parts.connection.stop();
  parts.connection.start();
  last(parts.made.ws).hello();
  parts.messages.length = 0;
  const send = (/** @type {string} */ type, /** @type {string} */ cursor) => last(parts.made.ws).onmessage({ type, cursor, pet: 1, pets: [] });
  send("snapshot", "9f2c41aa-30");
  send("snapshot", "9f2c41aa-29");
  send("status", "9f2c41aa-31");
  assert.deepEqual(received(parts), ["snapshot 30", "status 31"], "it goes back once");
});

test("the page follows the link in the new epoch, and not the one in the old epoch", async () => {
  const parts = await startBoth();
  const ws = last(parts.made.ws);
  ws.onmessage({ type: "snapshot", cursor: "0000beef-3", pets: [] });
  parts.poll("snapshot", 9);
  parts.poll("status", 9);
  ws.onmessage({ type: "status", cursor: "0000beef-4", pet: 1 });
  assert.deepEqual(received(parts), ["snapshot 3", "status 4"]);
});
