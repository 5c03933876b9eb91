/** The connection status: its text, and when it stops being "Live". */
import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock } from "../support/fakes.mjs";
import { EventLoopMonitor } from "../../../public/petstore/connection/event-loop-monitor.js";
import { ConnectionStatus } from "../../../public/app/state/connection-status.js";
import { ConnectionSummary } from "../../../public/petstore/connection-summary.js";
import { ServerClock } from "../../../public/petstore/connection/server-clock.js";
import { clockText, durationText, agoText, momentText, nextChangeOf, setLocalTime } from "../../../public/app/state/time-text.js";
/** @import { TransportName } from "../../../public/petstore/transports/transport.js" */
/** @import { Status } from "../../../public/app/state/connection-status.js" */

const MINUTE_MS = 60_000;

function openStatus({ isOffline = false } = {}) {
  const clock = new FakeClock();
  const serverClock = new ServerClock(clock);
  const asOf = clock.now() - 5 * MINUTE_MS;
  const eventLoop = new EventLoopMonitor(clock);
  const summary = new ConnectionSummary({ clock, serverClock, eventLoop, asOf, isOffline });
  const drawLag = { ms: 0, currentMs: () => drawLag.ms };
  const status = new ConnectionStatus({ summary, serverClock, drawLag });
  const up = (/** @type {TransportName} */ transport = "ws", fields = {}) => {
    summary.setConnection({ phase: "up", transport, silenceLimitMs: 24_500, ...fields });
    summary.receive({ type: "hello", server_time: new Date(clock.now()).toISOString() });
  };
  /** A change that was committed this long ago. */
  const change = (/** @type {number} */ agoMs) =>
    summary.receive({ type: "status", pet: 1, status: "eating", since: new Date(clock.now() - agoMs).toISOString() });
  /** Keeps the page busy for this long. */
  const work = (/** @type {number} */ ms) => {
    for (let past = 0; past < ms; past += 10) {
      eventLoop.probe();
      clock.block(10);
      clock.turn(0);
    }
  };
  return { clock, serverClock, eventLoop, drawLag, summary, status, asOf, up, change, work };
}

/** @param {Status} status */
const read = ({ state, text, details }) => [state, details ? `${text} (${details})` : text];

const DELAYED = "Delayed: your network blocks live updates, so we check every few seconds.";

test("at first it says that it is connecting", () => {
  const { status, summary } = openStatus();
  summary.setConnection({ phase: "connecting" });
  assert.deepEqual(read(status.current()), ["connecting", "Connecting…"]);
  assert.equal(status.current().freshness, "fresh");
});

test("a live page says so, with the transport and the age of the last message as details", () => {
  /** @type {[TransportName, string, string][]} */
  const cases = [
    ["ws", "live", "Live (WebSocket, last message 3 s ago)"],
    ["sse", "live", "Live (Server-Sent Events, last message 3 s ago)"],
    ["poll", "polling", "Live, with a short delay (Long polling, last message 3 s ago)"],
  ];
  for (const [transport, state, text] of cases) {
    const { clock, status, up } = openStatus();
    up(transport);
    clock.turn(3000);
    assert.deepEqual(read(status.current()), [state, text]);
    assert.equal(status.current().freshness, "fresh");
    assert.equal(status.current().transport, transport);
  }
});

test("a network that blocks live updates is named after three seconds", () => {
  const { clock, status, up } = openStatus();
  up("short");
  clock.turn(2999);
  const text = "Live, with a short delay (Short polling, last message 2 s ago)";
  assert.deepEqual(read(status.current()), ["polling", text]);
  clock.turn(1);
  assert.deepEqual(read(status.current()), ["delayed", `${DELAYED} (Short polling, last message 3 s ago)`]);
  assert.equal(status.current().freshness, "fresh");
  up("sse");
  assert.equal(status.current().state, "live");
});

test("a request that fails in between does not restart these three seconds", () => {
  const { clock, status, summary, up } = openStatus();
  up("short");
  clock.turn(2000);
  summary.setConnection({ phase: "down" });
  up("short");
  clock.turn(1000);
  assert.equal(status.current().state, "delayed");
});

test("a network that turned out to block nothing is not named any more", () => {
  const { clock, status, up } = openStatus();
  up("short");
  clock.turn(5000);
  up("poll");
  assert.equal(status.current().state, "polling");
  up("short");
  assert.equal(status.current().state, "polling", "the three seconds start again");
});

const LATE = "Delayed: your network is slow right now.";
const BUSY = "Delayed: this device is too busy to keep up.";

test("a page that is too slow for the changes says so immediately, and never that it is live", () => {
  const { clock, serverClock, status, up, change, work } = openStatus();
  serverClock.sync(new Date(clock.now()).toISOString());
  up();
  work(1000);
  change(1000);
  assert.equal(status.current().state, "live");
  work(1500);
  change(2100);
  assert.deepEqual(read(status.current()), ["delayed", `${BUSY} (2 s behind)`]);
  assert.equal(status.current().freshness, "fresh");
  work(10_000);
  change(11_500);
  assert.deepEqual(read(status.current()), ["delayed", `${BUSY} (11 s behind)`]);
  up();
  assert.equal(status.current().state, "delayed", "a hello does not make what is shown newer");
});

test("a page that draws changes late is not live, and only its own delay counts", () => {
  for (const transport of /** @type {const} */ (["ws", "poll"])) {
    const { status, drawLag, up, change } = openStatus();
    up(transport);
    change(60_000);
    drawLag.ms = 999;
    assert.notEqual(status.current().state, "delayed");
    drawLag.ms = 2_500;
    assert.deepEqual(read(status.current()), ["delayed", `${BUSY} (2 s behind)`]);
    assert.equal(status.current().freshness, "fresh");
    drawLag.ms = 0;
    assert.notEqual(status.current().state, "delayed");
  }
});

test("a network that blocks live updates is named before a device that is too busy", () => {
  const { clock, status, drawLag, up } = openStatus();
  up("short");
  clock.turn(3000);
  drawLag.ms = 2_500;
  assert.equal(status.current().text, DELAYED);
});

test("a page that keeps up again is live again, even if nothing else arrives", () => {
  const { clock, serverClock, status, up, change, work } = openStatus();
  serverClock.sync(new Date(clock.now()).toISOString());
  up();
  work(5000);
  change(4000);
  assert.equal(status.current().state, "delayed");
  clock.turn(1000);
  assert.equal(status.current().state, "live");
  work(5000);
  assert.equal(status.current().state, "live", "what was behind then is not behind now");
  change(4000);
  work(500);
  change(100);
  assert.equal(status.current().state, "live");
});

test("a delay of the network is not blamed on the device, nor the other way round", () => {
  const { clock, serverClock, status, up, change, work } = openStatus();
  serverClock.sync(new Date(clock.now()).toISOString());
  up();
  change(60_000);
  assert.equal(status.current().state, "live", "it was missed, which is no delay");
  clock.turn(5000);
  change(4100);
  assert.deepEqual(read(status.current()), ["delayed", `${LATE} (4 s behind)`]);
  clock.turn(1000);
  assert.equal(status.current().state, "live", "nothing is waiting");
  up("short");
  clock.turn(3000);
  work(5000);
  change(5000);
  assert.equal(status.current().text, DELAYED);
});

test("a blip shorter than three seconds is not shown", () => {
  const { clock, status, summary, up } = openStatus();
  up();
  summary.setConnection({ phase: "down" });
  clock.turn(2999);
  summary.setConnection({ phase: "connecting" });
  assert.equal(status.current().state, "live");
  up("sse");
  clock.turn(10_000);
  assert.deepEqual(read(status.current()), ["live", "Live (Server-Sent Events, last message 10 s ago)"]);
});

test("after the grace period it is offline, with the time of the last message, and not connecting", () => {
  const { clock, status, summary, up } = openStatus();
  up();
  const heardAt = clock.now();
  clock.turn(10 * MINUTE_MS);
  summary.setConnection({ phase: "down" });
  clock.turn(3000);
  summary.setConnection({ phase: "connecting" });
  assert.deepEqual(read(status.current()), ["offline", `Offline. Showing what we knew at ${clockText(heardAt)}.`]);
  assert.equal(status.current().freshness, "stale");
  up();
  assert.equal(status.current().freshness, "fresh");
});

test("further failures do not restart the grace period", () => {
  const { clock, status, summary, up } = openStatus();
  up();
  summary.setConnection({ phase: "down" });
  clock.turn(2000);
  summary.setConnection({ phase: "down" });
  clock.turn(1000);
  assert.equal(status.current().state, "offline");
});

test("a page that never connected shows what was known when the server rendered it", () => {
  const { clock, status, summary, asOf } = openStatus();
  summary.setConnection({ phase: "connecting" });
  summary.setConnection({ phase: "down" });
  clock.turn(3000);
  assert.equal(status.current().text, `Offline. Showing what we knew at ${momentText(asOf, clock.now())}.`);
});

test("a page that did not come over the network is offline at once, and live with the first message", () => {
  const { clock, status, summary, asOf, up } = openStatus({ isOffline: true });
  summary.setConnection({ phase: "connecting" });
  assert.equal(status.current().text, `Offline. Showing what we knew at ${momentText(asOf, clock.now())}.`);
  assert.equal(status.current().freshness, "stale");
  up();
  assert.equal(status.current().state, "live");
});

test("a time has its day unless that is today", () => {
  const at = (/** @type {[number, number, number?, number?, number?]} */ ...parts) =>
    new Date(...parts).getTime();
  const time = at(2023, 10, 14, 22, 13);
  /** @type {[number, string][]} */
  const cases = [
    [at(2023, 10, 14, 23, 59), "22:13"],
    [at(2023, 10, 15, 0, 0), "yesterday 22:13"],
    [at(2023, 10, 15, 23, 59), "yesterday 22:13"],
    [at(2023, 10, 16, 0, 0), "Tue 22:13"],
    [at(2023, 10, 20, 22, 12), "Tue 22:13"],
    [at(2023, 10, 20, 22, 13), "14 Nov 22:13"],
    [at(2024, 0, 1), "14 Nov 2023 22:13"],
    [at(2023, 10, 13, 22, 13), "14 Nov 22:13"],
  ];
  for (const [now, text] of cases) {
    assert.equal(momentText(time, now), text);
  }
});

test("a page that is offline since another day names the day", () => {
  const { clock, status, up } = openStatus();
  up();
  const heardAt = clock.now();
  clock.turn(24 * 60 * MINUTE_MS);
  assert.equal(status.current().text, `Offline. Showing what we knew at yesterday ${clockText(heardAt)}.`);
  clock.turn(24 * 60 * MINUTE_MS);
  const day = new Date(heardAt).toLocaleDateString("en-US", { weekday: "short" });
  assert.equal(status.current().text, `Offline. Showing what we knew at ${day} ${clockText(heardAt)}.`);
});

test("a machine that slept does not wake up saying live", () => {
  const { clock, status, up } = openStatus();
  up();
  clock.jump(60 * MINUTE_MS);
  assert.equal(status.current().state, "offline");
});

test("a clock that was set back keeps nothing live, and the next message puts it right", () => {
  const { clock, status, summary, up } = openStatus();
  up();
  summary.setConnection({ phase: "down" });
  clock.jump(-60 * MINUTE_MS);
  assert.equal(status.current().state, "offline");
  up();
  assert.equal(status.current().state, "live");
});

test("the browser's report that it is offline counts until a message arrives", () => {
  const { clock, status, summary, up } = openStatus();
  up();
  summary.disconnected();
  clock.turn(3000);
  assert.equal(status.current().state, "offline");
  summary.receive({ type: "heartbeat" });
  assert.equal(status.current().state, "live");
});

test("a server without its database is named after the grace period, until the next message", () => {
  const { clock, status, summary, up } = openStatus();
  up();
  const since = "2024-05-01T09:30:00.000000Z";
  summary.receive({ type: "stale", since });
  clock.turn(2999);
  assert.equal(status.current().state, "live");
  summary.receive({ type: "stale", since });
  clock.turn(1);
  const words = `The server can't reach its database. Showing what we knew at ${momentText(Date.parse(since), clock.now())}.`;
  assert.deepEqual(read(status.current()), ["offline", words]);
  assert.equal(status.current().freshness, "stale");
  summary.receive({ type: "heartbeat" });
  assert.equal(status.current().state, "live");
});

test("a paused page says from when its data is, whatever the connection does", () => {
  const { clock, status, summary, up } = openStatus();
  up();
  const pausedAt = clock.now();
  status.pause();
  clock.turn(10 * MINUTE_MS);
  summary.receive({ type: "heartbeat" });
  assert.deepEqual(read(status.current()), ["paused", `Paused. Showing what we knew at ${clockText(pausedAt)}.`]);
  assert.equal(status.current().freshness, "paused");
  status.resume();
  assert.equal(status.current().state, "live");
});

test("times come from the server's clock, even if this machine's clock is wrong", () => {
  const { clock, serverClock, status, up } = openStatus();
  const serverTime = "2031-01-01T08:00:00.000000Z";
  serverClock.sync(serverTime);
  up();
  status.pause();
  assert.equal(status.current().text, `Paused. Showing what we knew at ${clockText(Date.parse(serverTime))}.`);
  assert.notEqual(clockText(clock.now()), clockText(Date.parse(serverTime)));
});

test("the estimated server time advances, and values that are no times are ignored", () => {
  const { clock, serverClock } = openStatus();
  serverClock.sync("2031-01-01T08:00:00.000000Z");
  clock.turn(MINUTE_MS);
  serverClock.sync(undefined);
  serverClock.sync("soon");
  assert.equal(new Date(serverClock.now()).toISOString(), "2031-01-01T08:01:00.000Z");
});

test("durations have the largest whole unit, and are never negative", () => {
  const minutes = [-5, 0, 0.9, 1, 12.9, 59, 60, 23 * 60, 24 * 60, 72 * 60];
  assert.deepEqual(
    minutes.map((count) => durationText(count * MINUTE_MS)),
    ["just now", "just now", "just now", "1 min", "12 min", "59 min", "1 h", "23 h", "1 d", "3 d"],
  );
  assert.deepEqual([-1, 999, 1000, 59_999, MINUTE_MS].map(agoText), [
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

test("times are in the time zone and by the clock of the rescue", () => {
  const noon = Date.parse("2026-07-01T12:00:00Z");
  try {
    setLocalTime({ timeZone: "Asia/Kathmandu", clock: "12" });
    assert.equal(clockText(noon), "5:45 pm");
    assert.equal(momentText(noon, noon), "5:45 pm");
    assert.equal(momentText(noon, noon + 7 * 60 * MINUTE_MS), "yesterday 5:45 pm", "it is past midnight over there");
    assert.equal(clockText(Date.parse("2026-07-01T18:20:00Z")), "12:05 am");
    // Nine days later, the text is drawn at midnight, which is at 18:15 UTC.
    const midnight = Date.parse("2026-07-10T18:15:00Z");
    assert.equal(nextChangeOf(noon + 12_345, midnight - 1_000), midnight);
    setLocalTime({ timeZone: "America/New_York" });
    assert.equal(momentText(noon, noon), "08:00");
    setLocalTime({ timeZone: "Europe/Atlantis", clock: "12" });
    assert.match(clockText(noon), /^\d{1,2}:\d\d [ap]m$/, "a zone that the browser does not know is its own");
  } finally {
    setLocalTime({});
  }
});
