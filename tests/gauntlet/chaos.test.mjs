/**
 * The bad networks that the demo pretends: `?chaos=MODE` on a page. Each is left soon and for the right transport, with
 * nothing missed or repeated; and once it is over, the page is back on WebSocket at its next climb.
 */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { direct } from "./boxes.mjs";
import { CHANGES_EVERY_MS } from "./rig/feed.mjs";
import { transportOf } from "./rig/recorder.mjs";
import { Scene } from "./rig/scene.mjs";
import { slowness } from "./rig/slowness.mjs";

/** The longest that a page may be without changes: from its navigation on, and whenever it leaves a transport. */
const LEFT_WITHIN_MS = 10_000;

/** How long it may take until the page is on the right transport. A network that cuts has to do so three times. */
const SETTLED_WITHIN_MS = 45_000;

/** How long the right transport has to stay the one in use. */
const STAYS_MS = 6_000;

const CLIMBS_WITHIN_MS = 10_000;

/** By mode: the transports of which one has to be in use in the end. */
const MODES = {
  "refuse-ws": ["sse"],
  kill: ["poll"],
  eat: ["poll"],
  // Every change is followed by a small heartbeat, which brings what is held back.
  hold: ["sse"],
  cut: ["poll", "short"],
  delay: ["poll"],
};

describe("the network of the demo", { concurrency: 3 }, () => {
  for (const [mode, transports] of Object.entries(MODES)) test(mode, () => isOvercome(mode, transports));
});

async function isOvercome(mode, transports) {
  const scene = await Scene.open({ start: direct, browser: "chromium" });
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
    // The browser says that the network is another one, which is when a page climbs without waiting for minutes.
    await scene.tab.page.evaluate(() => window.dispatchEvent(new Event("online")));
    await scene.tab.recordingWhen((recording) => transportOf(recording) === "ws", CLIMBS_WITHIN_MS);
    await pause(STAYS_MS);
    assertRight(await scene.account(), ["ws"]);
  } finally {
    await scene.close();
  }
}

/** The switch on the page, which changes its address and loads it again. */
async function chooseNoChaos(page) {
  await page.evaluate(() => (globalThis.isBeforeTheChoice = true));
  await page.select("#chaos", "");
  const isNext = () => !globalThis.isBeforeTheChoice && document.readyState !== "loading";
  await page.waitForFunction(isNext, { polling: 100 });
}

/**
 * @param {import("./rig/scene.mjs").Account} account
 * @param {string[]} transports
 */
function assertRight({ recording, missed, repeated, wrong }, transports) {
  const said = recording.said.map(({ text }) => text).join(", ");
  assert.ok(transports.includes(transportOf(recording)), `${transports.join(" or ")}; it said: ${said}`);
  assert.deepEqual({ missed, repeated, wrong }, { missed: [], repeated: [], wrong: [] }, `it said: ${said}`);
  const longestMs = longestSilence(recording);
  assert.ok(longestMs <= LEFT_WITHIN_MS * slowness(), `${longestMs} ms without a change; it said: ${said}`);
}

/** The longest time without a change while there was one every tenth of a second, from the navigation on. */
function longestSilence({ seen }) {
  assert.ok(seen.length > LEFT_WITHIN_MS / CHANGES_EVERY_MS / 10, "changes were seen");
  return Math.max(...seen.map(({ atMs }, index) => atMs - (seen[index - 1]?.atMs ?? 0)));
}
