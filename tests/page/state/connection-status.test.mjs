/** What the line at the top says, and when it stops saying "live". */
import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock } from "../support/fakes.mjs";
import { EventLoop } from "../../../public/live/connection/event-loop-monitor.js";
import { Freshness } from "../../../public/state/connection-status.js";
import { ServerClock } from "../../../public/state/server-clock.js";
import { clockText, durationText, heardText, momentText } from "../../../public/state/time-text.js";

const MINUTE_MS = 60_000;

function openFreshness() {
  const clock = new FakeClock();
  const serverClock = new ServerClock(clock);
  const asOf = clock.now() - 5 * MINUTE_MS;
  const eventLoop = new EventLoop(clock);
  const freshness = new Freshness({ clock, serverClock, eventLoop, asOf });
  const up = (transport = "ws", more = {}) => {
    freshness.connection({ phase: "up", transport, silenceLimitMs: 24_500, ...more });
    freshness.hear({ type: "hello" });
  };
  /** A change that was made so long ago. */
  const change = (agoMs) =>
    freshness.hear({ type: "status", pet: 1, status: "eating", since: new Date(clock.now() - agoMs).toISOString() });
  /** For so long the page has always something to do. */
  const work = (ms) => {
    for (let past = 0; past < ms; past += 10) {
      eventLoop.probe();
      clock.block(10);
      clock.turn(0);
    }
  };
  return { clock, serverClock, eventLoop, freshness, asOf, up, change, work };
}

/** The line as a reader sees it. */
const read = ({ state, text, age }) => [state, age ? `${text} · ${age}` : text];

const DELAYED = "Delayed: this network holds back live messages, asking every few seconds";

test("at first it says that it is connecting", () => {
  const { freshness } = openFreshness();
  freshness.connection({ phase: "connecting" });
  assert.deepEqual(read(freshness.line()), ["connecting", "Connecting…"]);
  assert.equal(freshness.line().freshness, "fresh");
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
    assert.deepEqual(read(freshness.line()), [state, text]);
    assert.equal(freshness.line().freshness, "fresh");
  }
});

test("a network that holds back live messages is named, once that has lasted for three seconds", () => {
  for (const [transport, more] of [
    ["poll", { delayed: true }],
    ["short", { delayed: true }],
    ["short", {}],
  ]) {
    const { clock, freshness, up } = openFreshness();
    up(transport, more);
    clock.turn(2999);
    assert.deepEqual(read(freshness.line()), ["polling", "Polling · heard 2 s ago"]);
    clock.turn(1);
    assert.deepEqual(read(freshness.line()), ["delayed", `${DELAYED} · heard 3 s ago`]);
    assert.equal(freshness.line().freshness, "fresh");
    up("sse");
    assert.equal(freshness.line().state, "live");
  }
});

test("a question that fails in between does not begin the three seconds of a network that holds back again", () => {
  const { clock, freshness, up } = openFreshness();
  up("short");
  clock.turn(2000);
  freshness.connection({ phase: "down" });
  up("short");
  clock.turn(1000);
  assert.equal(freshness.line().state, "delayed");
});

test("a network that was found to hold nothing back is not blamed for it any more", () => {
  const { clock, freshness, up } = openFreshness();
  up("poll", { delayed: true });
  clock.turn(5000);
  up("poll");
  assert.equal(freshness.line().state, "polling");
  up("poll", { delayed: true });
  assert.equal(freshness.line().state, "polling", "the three seconds begin anew");
});

const BUSY = "Delayed: this device is too busy to show changes immediately";

test("a page that is too slow for the changes says so of itself, at once, and never that it is live", () => {
  const { clock, serverClock, freshness, up, change, work } = openFreshness();
  serverClock.learn(new Date(clock.now()).toISOString());
  up();
  work(1000);
  change(1000);
  assert.equal(freshness.line().state, "live");
  work(1500);
  change(2100);
  assert.deepEqual(read(freshness.line()), ["delayed", `${BUSY} · 2 s behind`]);
  assert.equal(freshness.line().freshness, "fresh");
  work(10_000);
  change(11_500);
  assert.deepEqual(read(freshness.line()), ["delayed", `${BUSY} · 11 s behind`]);
  up();
  assert.equal(freshness.line().state, "delayed", "a hello does not make what is shown newer");
});

test("a page that keeps up again is live again, also if nothing more comes", () => {
  const { clock, serverClock, freshness, up, change, work } = openFreshness();
  serverClock.learn(new Date(clock.now()).toISOString());
  up();
  work(5000);
  change(4000);
  assert.equal(freshness.line().state, "delayed");
  clock.turn(1000);
  assert.equal(freshness.line().state, "live");
  work(5000);
  assert.equal(freshness.line().state, "live", "what was behind then is not behind now");
  change(4000);
  work(500);
  change(100);
  assert.equal(freshness.line().state, "live");
});

test("what the network brings late is not put down to the device, nor the other way round", () => {
  const { clock, serverClock, freshness, up, change, work } = openFreshness();
  serverClock.learn(new Date(clock.now()).toISOString());
  up();
  change(60_000);
  assert.equal(freshness.line().state, "live", "it was missed, and the connection judges what is late");
  up("short");
  clock.turn(3000);
  work(5000);
  change(5000);
  assert.equal(freshness.line().text, DELAYED);
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
  assert.deepEqual(read(freshness.line()), ["live", "Live over SSE · heard 10 s ago"]);
});

test("after the grace it says offline, since when it was last heard, and not connecting again", () => {
  const { clock, freshness, up } = openFreshness();
  up();
  const heardAt = clock.now();
  clock.turn(10 * MINUTE_MS);
  freshness.connection({ phase: "down" });
  clock.turn(3000);
  freshness.connection({ phase: "connecting" });
  assert.deepEqual(read(freshness.line()), ["offline", `Offline since ${clockText(heardAt)}, last known`]);
  assert.equal(freshness.line().freshness, "stale");
  up();
  assert.equal(freshness.line().freshness, "fresh");
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

test("a page that never connected is offline since the server drew it", () => {
  const { clock, freshness, asOf } = openFreshness();
  freshness.connection({ phase: "connecting" });
  freshness.connection({ phase: "down" });
  clock.turn(3000);
  assert.equal(freshness.line().text, `Offline since ${momentText(asOf, clock.now())}, last known`);
});

test("a time has its day unless that is today", () => {
  const at = (...parts) => new Date(...parts).getTime();
  const time = at(2023, 10, 14, 22, 13);
  for (const [now, text] of [
    [at(2023, 10, 14, 23, 59), "22:13"],
    [at(2023, 10, 15, 0, 0), "Tue 22:13"],
    [at(2023, 10, 20, 22, 12), "Tue 22:13"],
    [at(2023, 10, 20, 22, 13), "14 Nov 22:13"],
    [at(2024, 0, 1), "14 Nov 2023 22:13"],
    [at(2023, 10, 13, 22, 13), "14 Nov 22:13"],
  ]) {
    assert.equal(momentText(time, now), text);
  }
});

test("offline since another day names the day", () => {
  const { clock, freshness, up } = openFreshness();
  up();
  const heardAt = clock.now();
  clock.turn(24 * 60 * MINUTE_MS);
  const day = new Date(heardAt).toLocaleDateString("en-US", { weekday: "short" });
  assert.equal(freshness.line().text, `Offline since ${day} ${clockText(heardAt)}, last known`);
});

test("a machine that slept does not wake up saying live", () => {
  const { clock, freshness, up } = openFreshness();
  up();
  clock.jump(60 * MINUTE_MS);
  assert.equal(freshness.line().state, "offline");
});

test("a clock that was set back keeps nothing live, and the next message puts it right", () => {
  const { clock, freshness, up } = openFreshness();
  up();
  freshness.connection({ phase: "down" });
  clock.jump(-60 * MINUTE_MS);
  assert.equal(freshness.line().state, "offline");
  up();
  assert.equal(freshness.line().state, "live");
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

test("a server without its data is named after the grace, since the time that it says, until the next message", () => {
  const { clock, freshness, up } = openFreshness();
  up();
  const since = "2024-05-01T09:30:00.000000Z";
  freshness.hear({ type: "stale", since });
  clock.turn(2999);
  assert.equal(freshness.line().state, "live");
  freshness.hear({ type: "stale", since });
  clock.turn(1);
  const words = `Not up to date since ${momentText(Date.parse(since), clock.now())}: the server cannot reach its data`;
  assert.deepEqual(read(freshness.line()), ["offline", words]);
  assert.equal(freshness.line().freshness, "stale");
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
  assert.deepEqual(read(freshness.line()), ["paused", `Paused, as of ${clockText(pausedAt)}`]);
  assert.equal(freshness.line().freshness, "paused");
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
