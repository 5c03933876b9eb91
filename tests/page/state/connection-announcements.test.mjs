/** When the connection status is announced to a screen reader. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { StatusAnnouncements } from "../../../public/app/state/announcements.js";
import { FakeClock } from "../support/fakes.mjs";

/** @typedef {Pick<import("../../../public/app/state/connection-status.js").Status, "state" | "text" | "details">} Status */

/** @type {Status} */
const OFFLINE = { state: "offline", text: "Offline. Showing what we knew at 14:05." };
/** @type {Status} */
const DELAYED = { state: "delayed", text: "Delayed: your network blocks live updates." };
/** @type {Status} */
const LIVE = { state: "live", text: "Live", details: "WebSocket, last message just now" };
/** @type {Status} */
const POLLING = { state: "polling", text: "Live, with a short delay" };
/** @type {Status} */
const PAUSED = { state: "paused", text: "Paused. Showing what we knew at 14:05." };
/** @type {Status} */
const CONNECTING = { state: "connecting", text: "Connecting…" };

/**
 * Returns what is announced while each status is shown for some seconds, checked every second as by the page.
 * @param {[Status, number][]} shown
 */
function announced(...shown) {
  const clock = new FakeClock();
  const announcements = new StatusAnnouncements(clock);
  const texts = [];
  for (const [status, seconds] of shown) {
    for (let second = 0; second < seconds; second += 1) {
      const text = announcements.next(status);
      if (text) texts.push(text);
      clock.turn(1000);
    }
  }
  return texts;
}

test("a page that connects and stays live announces nothing", () => {
  assert.deepEqual(announced([CONNECTING, 20], [POLLING, 2], [LIVE, 60]), []);
});

test("being offline is announced once, after five seconds, and so is being live again", () => {
  assert.deepEqual(announced([LIVE, 10], [OFFLINE, 5]), []);
  assert.deepEqual(announced([LIVE, 10], [OFFLINE, 60], [LIVE, 60]), [OFFLINE.text, "Live again."]);
  assert.deepEqual(announced([OFFLINE, 60], [POLLING, 60]), [OFFLINE.text, "Connected again."]);
});

test("shorter changes are never announced", () => {
  const blips = Array.from({ length: 20 }, () => /** @type {[Status, number][]} */ ([[OFFLINE, 4], [LIVE, 4]])).flat();
  assert.deepEqual(announced(...blips), []);
  assert.deepEqual(announced([OFFLINE, 10], ...blips), [OFFLINE.text]);
});

test("a network that blocks live updates is announced once, without the details", () => {
  assert.deepEqual(announced([POLLING, 3], [{ ...DELAYED, details: "last message 3 s ago" }, 60]), [DELAYED.text]);
});

test("a pause is not announced, and does not repeat what was announced before it", () => {
  assert.deepEqual(announced([OFFLINE, 10], [PAUSED, 60], [OFFLINE, 60]), [OFFLINE.text]);
  assert.deepEqual(announced([LIVE, 10], [PAUSED, 60], [LIVE, 60]), []);
});
