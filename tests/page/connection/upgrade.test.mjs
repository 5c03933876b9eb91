/** How the page gets back to a better rung, and from one link to the next without a seam. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { beat, HEARTBEAT_MS, pollOn, START, startConnection, startOnPoll } from "../support/connection.mjs";

const MINUTE_MS = 60_000;

/** Makes every try fail at once, and gives back when they were, in minutes since the first rung was live. */
function triesWithin(parts, minutes) {
  const { clock, made } = parts;
  const start = clock.elapsed();
  const at = [];
  let seen = made.ws.length;
  for (let past = 0; past < minutes * MINUTE_MS; past += 5_000) {
    pollOn(parts, 5_000);
    if (made.ws.length === seen) continue;
    seen = made.ws.length;
    at.push(Math.round((clock.elapsed() - start) / MINUTE_MS));
    made.ws.at(-1).fail();
    made.sse.at(-1).fail();
  }
  return at;
}

test("where the better rungs were refused they are tried after two minutes, doubling up to thirty", () => {
  assert.deepEqual(triesWithin(startOnPoll(), 125), [2, 6, 14, 30, 60, 90, 120]);
});

test("where they were only slow, or this page began below them, the first try is after ten seconds", () => {
  const slow = startConnection();
  slow.clock.turn(2000);
  slow.made.poll[0].hello();
  const remembered = startConnection({ remembered: "poll" });
  remembered.made.poll[0].hello();
  for (const parts of [slow, remembered]) {
    pollOn(parts, 9_999);
    assert.deepEqual(parts.open(), ["poll"]);
    pollOn(parts, 1);
    assert.deepEqual(parts.open(), ["ws", "poll"]);
    parts.made.ws.at(-1).fail();
    parts.made.sse.at(-1).fail();
    assert.deepEqual(triesWithin(parts, 7), [2, 6]);
  }
});

test("a rung that died once is tried soon, one that did so three times is not", () => {
  const parts = startConnection({ random: () => 0 });
  const { clock, made, open } = parts;
  made.ws[0].hello();
  made.ws[0].fail();
  clock.turn(0);
  made.sse[1].fail();
  made.poll[1].hello();
  for (const waitMs of [10_000, 2 * MINUTE_MS]) {
    pollOn(parts, waitMs);
    assert.deepEqual(open(), ["ws", "poll"]);
    made.ws.at(-1).hello();
    made.ws.at(-1).fail();
    made.sse.at(-1).fail();
  }
  made.poll.at(-1).fail();
  clock.turn(0);
  made.sse.at(-1).fail();
  made.poll.at(-1).hello();
  pollOn(parts, 15_000);
  assert.deepEqual(open(), ["poll"]);
  pollOn(parts, 2 * MINUTE_MS - 15_000);
  assert.deepEqual(open(), ["ws", "poll"]);
});

test("a rung that is still the best after a try is remembered anew", () => {
  const parts = startConnection({ remembered: "poll" });
  parts.made.poll[0].hello();
  pollOn(parts, 10_000);
  assert.deepEqual(parts.memory.writes, []);
  parts.made.ws.at(-1).fail();
  parts.made.sse.at(-1).fail();
  assert.deepEqual(parts.memory.writes, ["poll"]);
});

for (const [how, end] of [
  ["stopped", ({ ws }) => ws.onmessage({ type: "bye", retry_ms: 100 })],
  ["was killed", ({ ws, health }) => ((health.isUp = false), ws.fail())],
  ["was gone after a while", ({ ws, clock }) => (beat(clock, ws, 6000), ws.fail())],
]) {
  test(`a page that a server let down while it started is back where it was at once (the server ${how})`, () => {
    const parts = startConnection({ random: () => 0 });
    const { clock, made, open, rung, phases } = parts;
    made.ws[0].hello();
    end({ ...parts, ws: made.ws[0] });
    clock.turn(100);
    made.ws.at(-1).fail();
    made.sse.at(-1).fail();
    made.poll.at(-1).hello();
    assert.equal(rung(), "poll");
    clock.turn(250);
    made.ws.at(-1).hello();
    assert.equal(rung(), "ws");
    assert.deepEqual(open(), ["ws"]);
    assert.equal(phases().at(-1), "up");
  });
}

test("a rung that worked before, and is refused also once the server is up, has its next try in two minutes", () => {
  const parts = startConnection({ random: () => 0 });
  const { clock, made } = parts;
  made.ws[0].hello();
  made.ws[0].onmessage({ type: "bye", retry_ms: 100 });
  clock.turn(100);
  made.ws.at(-1).fail();
  made.sse.at(-1).fail();
  made.poll.at(-1).hello();
  clock.turn(250);
  made.ws.at(-1).fail();
  made.sse.at(-1).fail();
  assert.deepEqual(triesWithin(parts, 7), [2, 6]);
});

test("a try tells the server from where, and starts where the page is", () => {
  const parts = startOnPoll();
  parts.page.cursor = "9f2c41aa-8";
  pollOn(parts, 2 * MINUTE_MS);
  assert.deepEqual(parts.made.ws.at(-1).change, { from: "poll", why: "climb" });
  assert.equal(parts.made.ws.at(-1).since, "9f2c41aa-8");
});

test("the page moves when the better one has been of use, and not before", () => {
  const parts = startOnPoll();
  const { clock, made, open, rung, states, memory } = parts;
  pollOn(parts, 2 * MINUTE_MS);
  made.ws.at(-1).hello({ heartbeat_ms: HEARTBEAT_MS });
  clock.turn(5_999);
  made.ws.at(-1).onmessage({ type: "heartbeat", cursor: START });
  assert.equal(rung(), "poll");
  clock.turn(1);
  made.ws.at(-1).onmessage({ type: "heartbeat", cursor: START });
  assert.deepEqual(open(), ["ws"]);
  assert.deepEqual(states.at(-1), { phase: "up", transport: "ws", silenceLimitMs: 24_500 });
  assert.deepEqual(
    states.filter(({ phase }) => phase !== "up").map(({ phase }) => phase),
    ["connecting"],
    "nobody was told that there was anything between",
  );
  assert.equal(memory.rung, "ws");
});

test("the page does not move to one that has yet to bring what the page has", () => {
  const parts = startOnPoll();
  const { clock, made, page, rung } = parts;
  pollOn(parts, 2 * MINUTE_MS);
  page.cursor = "9f2c41aa-9";
  made.ws.at(-1).hello();
  clock.turn(6_000);
  made.ws.at(-1).onmessage({ type: "status", cursor: "9f2c41aa-8" });
  assert.equal(rung(), "poll");
  made.ws.at(-1).onmessage({ type: "status", cursor: "9f2c41aa-9" });
  assert.equal(rung(), "ws");
});

test("a better one that dies, or lets hello through and nothing else, is left, and the page never noticed", () => {
  const dies = startOnPoll();
  pollOn(dies, 2 * MINUTE_MS);
  dies.made.ws.at(-1).hello();
  dies.made.ws.at(-1).fail();
  const eats = startOnPoll();
  pollOn(eats, 2 * MINUTE_MS);
  eats.made.ws.at(-1).hello({ heartbeat_ms: 1000 });
  pollOn(eats, 5_000);
  for (const { made, open, rung, states } of [dies, eats]) {
    assert.equal(made.ws.at(-1).isOpen, false);
    assert.deepEqual(open(), ["sse", "poll"], "the next better one has its try");
    assert.equal(rung(), "poll");
    assert.ok(!states.some(({ phase }) => phase === "down"));
  }
});

test("from SSE the page climbs to WebSocket", () => {
  const { clock, made, open, rung } = startConnection();
  clock.turn(250);
  made.sse[0].hello();
  beat(clock, made.sse[0], 10_000);
  made.ws.at(-1).hello();
  for (let past = 0; past < 6; past += 1) {
    beat(clock, made.sse[0], 1_000);
    made.ws.at(-1).onmessage({ type: "heartbeat", cursor: START });
  }
  assert.deepEqual(open(), ["ws"]);
  assert.equal(rung(), "ws");
});

test("a network that is back, or another, is tried at once, and the waits begin anew", () => {
  const parts = startOnPoll();
  triesWithin(parts, 10);
  parts.connection.online();
  assert.deepEqual(parts.open(), ["ws", "poll"]);
  parts.made.ws.at(-1).fail();
  parts.made.sse.at(-1).fail();
  assert.deepEqual(triesWithin(parts, 7), [2, 6]);
});

test("a page whose reader saves data tries nothing by itself, but another network is worth a try", () => {
  const parts = startOnPoll();
  parts.page.isFrugal = true;
  assert.deepEqual(triesWithin(parts, 60), []);
  parts.connection.online();
  assert.deepEqual(parts.open(), ["ws", "poll"]);
});

test("a page that is looked at again tries nothing before its time", () => {
  const parts = startOnPoll();
  pollOn(parts, MINUTE_MS);
  parts.connection.wake();
  assert.deepEqual(parts.open(), ["poll"]);
});

test("a page that loses its link while a better one is on trial goes on over that one", () => {
  const parts = startOnPoll();
  const { made, open, phases, rung } = parts;
  pollOn(parts, 2 * MINUTE_MS);
  made.ws.at(-1).hello();
  made.poll.at(-1).fail();
  assert.deepEqual(open(), ["ws"]);
  assert.equal(rung(), "ws");
  assert.ok(!phases().includes("down"));
});

test("a server that leaves ends the try, and says nothing against the rung", () => {
  const parts = startOnPoll();
  pollOn(parts, 2 * MINUTE_MS);
  parts.made.ws.at(-1).hello();
  parts.made.ws.at(-1).onmessage({ type: "bye", retry_ms: 100 });
  assert.deepEqual(parts.open(), ["poll"]);
});

test("stopping ends the try as well", () => {
  const parts = startOnPoll();
  pollOn(parts, 2 * MINUTE_MS);
  parts.made.ws.at(-1).hello();
  parts.connection.stop();
  assert.deepEqual(parts.open(), []);
  assert.equal(parts.clock.waiting, 0);
});

/** A page on polling, with a WebSocket on trial beside it that was opened at rev 1. */
function startBoth() {
  const parts = startOnPoll();
  pollOn(parts, 2 * MINUTE_MS);
  parts.made.ws.at(-1).hello();
  parts.messages.length = 0;
  const say = (name) => (type, rev, more) =>
    parts.made[name].at(-1).onmessage({ type, cursor: `9f2c41aa-${rev}`, pet: 1, pets: [], ...more });
  return { ...parts, ws: say("ws"), poll: say("poll") };
}

/** What the page was given, e.g. "status 2". */
const given = ({ messages }) => messages.map(({ type, cursor }) => `${type} ${cursor.split("-")[1]}`);

test("what two links bring is passed on once and in order, whichever was first", () => {
  const parts = startBoth();
  parts.poll("status", 2);
  parts.ws("status", 2);
  parts.ws("pet", 3);
  parts.ws("gone", 4);
  parts.poll("pet", 3);
  parts.poll("gone", 4);
  parts.poll("status", 5);
  assert.deepEqual(given(parts), ["status 2", "pet 3", "gone 4", "status 5"]);
});

test("a hello on trial is not the page's, and is when the page moves", () => {
  const parts = startBoth();
  parts.clock.turn(6_000);
  parts.ws("heartbeat", 1);
  assert.deepEqual(given(parts), ["heartbeat 1", "hello 1"]);
});

test("a snapshot that another link has overtaken is not drawn", () => {
  const parts = startBoth();
  parts.poll("status", 5);
  parts.ws("snapshot", 4);
  parts.ws("status", 5);
  parts.ws("snapshot", 6);
  assert.deepEqual(given(parts), ["status 5", "snapshot 6"]);
});

test("a snapshot from before what the link was opened with is the server's history gone back, and is drawn", () => {
  const parts = startConnection();
  parts.page.cursor = "9f2c41aa-50";
  parts.made.ws[0].since = "";
  parts.connection.stop();
  parts.connection.start();
  parts.made.ws.at(-1).hello();
  parts.messages.length = 0;
  const say = (type, cursor) => parts.made.ws.at(-1).onmessage({ type, cursor, pet: 1, pets: [] });
  say("snapshot", "9f2c41aa-30");
  say("snapshot", "9f2c41aa-29");
  say("status", "9f2c41aa-31");
  assert.deepEqual(given(parts), ["snapshot 30", "status 31"], "and it goes back once, not with every message");
});

test("a store with another history is followed, and the link that is still in the old one is not", () => {
  const parts = startBoth();
  const ws = parts.made.ws.at(-1);
  ws.onmessage({ type: "snapshot", cursor: "0000beef-3", pets: [] });
  parts.poll("snapshot", 9);
  parts.poll("status", 9);
  ws.onmessage({ type: "status", cursor: "0000beef-4", pet: 1 });
  assert.deepEqual(given(parts), ["snapshot 3", "status 4"]);
});
