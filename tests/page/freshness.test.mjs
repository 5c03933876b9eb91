/** What the line at the top says, and when it stops saying "live". */
import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock, load } from "./support.mjs";

const { Freshness } = await load("state/freshness.js");
const { ServerClock } = await load("state/server-clock.js");
const { clockText, durationText, heardText } = await load("state/time-text.js");

const MINUTE_MS = 60_000;

function openFreshness() {
  const clock = new FakeClock();
  const serverClock = new ServerClock(clock);
  const asOf = clock.now() - 5 * MINUTE_MS;
  const freshness = new Freshness({ clock, serverClock, asOf });
  const up = (transport = "ws") => {
    freshness.connection({ phase: "up", transport, silenceLimitMs: 24_500 });
    freshness.hear({ type: "hello" });
  };
  return { clock, serverClock, freshness, asOf, up };
}

test("at first it says that it is connecting", () => {
  const { freshness } = openFreshness();
  freshness.connection({ phase: "connecting" });
  assert.deepEqual(freshness.line(), { state: "connecting", text: "Connecting…" });
});

test("once it is live it names the transport and when it last heard anything", () => {
  for (const [transport, state, text] of [
    ["ws", "live", "Live over WebSocket · heard 3 s ago"],
    ["sse", "live", "Live over SSE · heard 3 s ago"],
    ["poll", "polling", "Polling · heard 3 s ago"],
  ]) {
    const { clock, freshness, up } = openFreshness();
    up(transport);
    clock.turn(3000);
    assert.deepEqual(freshness.line(), { state, text });
  }
});

test("a blip shorter than three seconds is not shown", () => {
  const { clock, freshness, up } = openFreshness();
  up();
  freshness.connection({ phase: "down" });
  clock.turn(2999);
  freshness.connection({ phase: "connecting" });
  assert.equal(freshness.line().state, "live");
  up("sse");
  clock.turn(10_000);
  assert.equal(freshness.line().text, "Live over SSE · heard 10 s ago");
});

test("after the grace it says offline, as of when it was last heard, and not connecting again", () => {
  const { clock, freshness, up } = openFreshness();
  up();
  const heardAt = clock.now();
  clock.turn(10 * MINUTE_MS);
  freshness.connection({ phase: "down" });
  clock.turn(3000);
  freshness.connection({ phase: "connecting" });
  assert.deepEqual(freshness.line(), { state: "offline", text: `Offline, as of ${clockText(heardAt)}` });
});

test("further failures do not begin the grace again", () => {
  const { clock, freshness, up } = openFreshness();
  up();
  freshness.connection({ phase: "down" });
  clock.turn(2000);
  freshness.connection({ phase: "down" });
  clock.turn(1000);
  assert.equal(freshness.line().state, "offline");
});

test("a page that never connected is offline as of when the server drew it", () => {
  const { clock, freshness, asOf } = openFreshness();
  freshness.connection({ phase: "connecting" });
  freshness.connection({ phase: "down" });
  clock.turn(3000);
  assert.equal(freshness.line().text, `Offline, as of ${clockText(asOf)}`);
});

test("a machine that slept does not wake up saying live", () => {
  const { clock, freshness, up } = openFreshness();
  up();
  clock.jump(60 * MINUTE_MS);
  assert.equal(freshness.line().state, "offline");
});

test("the browser's word that it is offline counts until something is heard", () => {
  const { clock, freshness, up } = openFreshness();
  up();
  freshness.lose();
  clock.turn(3000);
  assert.equal(freshness.line().state, "offline");
  freshness.hear({ type: "heartbeat" });
  assert.equal(freshness.line().state, "live");
});

test("a stale board is offline as of the time the server names, until the next message", () => {
  const { freshness, up } = openFreshness();
  up();
  const since = "2024-05-01T09:30:00.000000Z";
  freshness.hear({ type: "stale", since });
  assert.deepEqual(freshness.line(), { state: "offline", text: `Offline, as of ${clockText(Date.parse(since))}` });
  freshness.hear({ type: "heartbeat" });
  assert.equal(freshness.line().state, "live");
});

test("a paused page says as of when, whatever the connection does, and goes on after that", () => {
  const { clock, freshness, up } = openFreshness();
  up();
  const pausedAt = clock.now();
  freshness.pause();
  clock.turn(10 * MINUTE_MS);
  freshness.hear({ type: "heartbeat" });
  assert.deepEqual(freshness.line(), { state: "paused", text: `Paused, as of ${clockText(pausedAt)}` });
  freshness.resume();
  assert.equal(freshness.line().state, "live");
});

test("as of is the server's time, also on a machine whose clock is wrong", () => {
  const { clock, serverClock, freshness, up } = openFreshness();
  const serverTime = "2031-01-01T08:00:00.000000Z";
  serverClock.learn(serverTime);
  up();
  freshness.pause();
  assert.equal(freshness.line().text, `Paused, as of ${clockText(Date.parse(serverTime))}`);
  assert.notEqual(clockText(clock.now()), clockText(Date.parse(serverTime)));
});

test("the server's time runs on from when it was learned, and nonsense teaches nothing", () => {
  const { clock, serverClock } = openFreshness();
  serverClock.learn("2031-01-01T08:00:00.000000Z");
  clock.turn(MINUTE_MS);
  serverClock.learn(undefined);
  serverClock.learn("soon");
  assert.equal(new Date(serverClock.now()).toISOString(), "2031-01-01T08:01:00.000Z");
});

test("durations are told in the largest whole unit, and a clock that is behind makes no nonsense", () => {
  const minutes = [-5, 0, 0.9, 1, 12.9, 59, 60, 23 * 60, 24 * 60, 72 * 60];
  assert.deepEqual(
    minutes.map((count) => durationText(count * MINUTE_MS)),
    ["just now", "just now", "just now", "1 min", "12 min", "59 min", "1 h", "23 h", "1 d", "3 d"],
  );
  assert.deepEqual([-1, 999, 1000, 59_999, MINUTE_MS].map(heardText), [
    "just now",
    "just now",
    "1 s ago",
    "59 s ago",
    "1 min ago",
  ]);
});

test("a time of day has two digits on both sides", () => {
  assert.equal(clockText(new Date(2024, 4, 1, 9, 5).getTime()), "09:05");
});
