/** When the state of the connection is told to somebody who cannot see the line. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock } from "../support/fakes.mjs";
import { ConnectionNews } from "../../../public/state/connection-news.js";

const OFFLINE = { state: "offline", text: "Offline since 14:05, last known" };
const DELAYED = { state: "delayed", text: "Delayed: this network holds back live messages" };
const LIVE = { state: "live", text: "Live over SSE", age: "heard just now" };
const POLLING = { state: "polling", text: "Polling", age: "heard just now" };
const PAUSED = { state: "paused", text: "Paused, as of 14:05" };
const CONNECTING = { state: "connecting", text: "Connecting…" };

/** What is told while each line is shown for so many seconds, asked every second as the page does. */
function tell(...shown) {
  const clock = new FakeClock();
  const news = new ConnectionNews(clock);
  const told = [];
  for (const [line, seconds] of shown) {
    for (let second = 0; second < seconds; second += 1) {
      const sentence = news.of(line);
      if (sentence) told.push(sentence);
      clock.turn(1000);
    }
  }
  return told;
}

test("a page that connects and stays live tells nothing", () => {
  assert.deepEqual(tell([CONNECTING, 20], [POLLING, 2], [LIVE, 60]), []);
});

test("being offline is told once, when it has lasted for five seconds, and so is being live again", () => {
  assert.deepEqual(tell([LIVE, 10], [OFFLINE, 5]), []);
  assert.deepEqual(tell([LIVE, 10], [OFFLINE, 60], [LIVE, 60]), [OFFLINE.text, "Live again"]);
  assert.deepEqual(tell([OFFLINE, 60], [POLLING, 60]), [OFFLINE.text, "Connected again"]);
});

test("what comes and goes within five seconds is not told, however often", () => {
  const blips = Array.from({ length: 20 }, () => [[OFFLINE, 4], [LIVE, 4]]).flat();
  assert.deepEqual(tell(...blips), []);
  assert.deepEqual(tell([OFFLINE, 10], ...blips), [OFFLINE.text]);
});

test("a network that holds back is told once, and only in words that stay true", () => {
  assert.deepEqual(tell([POLLING, 3], [{ ...DELAYED, age: "heard 3 s ago" }, 60]), [DELAYED.text]);
});

test("a pause that was asked for is no news, and takes nothing back", () => {
  assert.deepEqual(tell([OFFLINE, 10], [PAUSED, 60], [OFFLINE, 60]), [OFFLINE.text]);
  assert.deepEqual(tell([LIVE, 10], [PAUSED, 60], [LIVE, 60]), []);
});
