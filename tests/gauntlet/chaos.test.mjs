/**
 * The simulated networks of the demo: `?chaos=MODE` on a page. On each, the page soon finds the right transport, without a
 * missed or repeated change; after it, the page returns to WebSocket with its next upgrade.
 */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { direct } from "./boxes.mjs";
import { CHANGES_EVERY_MS } from "./support/feed.mjs";
import { transportOf } from "./support/recorder.mjs";
import { Scene } from "./support/scene.mjs";
import { slowness } from "./support/slowness.mjs";
import { startDemo } from "./support/subject.mjs";

/** The longest time without changes: from navigation, and whenever the page leaves a transport. */
const LEFT_WITHIN_MS = 10_000;

/** Time until the page uses the right transport. A network that cuts has to do so three times. */
const SETTLED_WITHIN_MS = 45_000;

/** Time that the right transport has to stay in use. */
const STAYS_MS = 6_000;

const UPGRADES_WITHIN_MS = 10_000;

/** The expected transports by mode: one of them has to be in use in the end. */
const MODES = {
  "refuse-ws": ["sse"],
  kill: ["poll"],
  eat: ["poll"],
  // Every change is followed by a small heartbeat, which pushes it through the buffer.
  hold: ["sse"],
  cut: ["poll", "short"],
  delay: ["poll"],
};

describe("the simulated networks of the demo", { concurrency: 3 }, () => {
  for (const [mode, transports] of Object.entries(MODES)) test(mode, () => survives(mode, transports));
});

async function survives(mode, transports) {
  const scene = await Scene.open({ start: direct, browser: "chromium", subject: startDemo });
  try {
    scene.feed.start();
    await scene.visit(`/pets?chaos=${mode}`);
    const isThere = (recording) => transports.includes(transportOf(recording)) && recording.seen.length > 0;
    await scene.tab.recordingWhen(isThere, SETTLED_WITHIN_MS);
    await pause(STAYS_MS);
    assertRight(await scene.account(), transports);

    await chooseNoChaos(scene.tab.page);
    scene.feed.start();
    await scene.tab.recordingWhen(({ seen }) => seen.length > 0, LEFT_WITHIN_MS);
    // After an online event a page tries to upgrade immediately, instead of after minutes.
    await scene.tab.page.evaluate(() => window.dispatchEvent(new Event("online")));
    await scene.tab.recordingWhen((recording) => transportOf(recording) === "ws", UPGRADES_WITHIN_MS);
    await pause(STAYS_MS);
    assertRight(await scene.account(), ["ws"]);
  } finally {
    await scene.close();
  }
}

/** Switches the simulated network off, which reloads the page. */
async function chooseNoChaos(page) {
  await page.evaluate(() => (globalThis.isBeforeTheChoice = true));
  await page.select("#chaos", "");
  const isNext = () => !globalThis.isBeforeTheChoice && document.readyState !== "loading";
  await page.waitForFunction(isNext, { polling: 100 });
}

/**
 * @param {import("./support/scene.mjs").Account} account
 * @param {string[]} transports
 */
function assertRight({ recording, missed, repeated, wrong }, transports) {
  const said = recording.said.map(({ text }) => text).join(", ");
  assert.ok(transports.includes(transportOf(recording)), `${transports.join(" or ")}; it said: ${said}`);
  assert.deepEqual({ missed, repeated, wrong }, { missed: [], repeated: [], wrong: [] }, `it said: ${said}`);
  const longestMs = longestSilence(recording);
  assert.ok(longestMs <= LEFT_WITHIN_MS * slowness(), `${longestMs} ms without a change; it said: ${said}`);
}

/** Returns the longest time without a change, from navigation, while one was committed every tenth of a second. */
function longestSilence({ seen }) {
  assert.ok(seen.length > LEFT_WITHIN_MS / CHANGES_EVERY_MS / 10, "changes were seen");
  return Math.max(...seen.map(({ atMs }, index) => atMs - (seen[index - 1]?.atMs ?? 0)));
}
