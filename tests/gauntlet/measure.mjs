/**
 * One visit: a fresh browser opens the page of a subject through a box while its pets change, and what it saw is held
 * against what happened.
 */
import { setTimeout as pause } from "node:timers/promises";
import { transportOf } from "./rig/recorder.mjs";
import { Scene } from "./rig/scene.mjs";
import { slowness } from "./rig/slowness.mjs";
import { inTurn } from "./rig/turn.mjs";

/**
 * How long pets change, nothing happens, and pets change again, in ms. The quiet part is for what cuts connections
 * that say nothing.
 * @typedef {{ busyMs: number, quietMs: number, againMs: number }} Plan
 */

/** @type {Record<"short" | "long", Plan>} */
export const PLANS = {
  short: { busyMs: 5_000, quietMs: 0, againMs: 0 },
  long: { busyMs: 15_000, quietMs: 30_000, againMs: 15_000 },
};

/** How long the first change may take before it is given up. */
const PATIENCE_MS = 30_000;

/**
 * @typedef {object} Visit
 * @property {string} transport  What the page said at the end that it uses; `none` when it was not connected.
 * @property {string[]} said  What the connection line said, one after the other.
 * @property {number | null} liveMs  From the start of the navigation to the first change after the page's own state.
 * @property {number} slowness  How much slower than it can be the machine was by then.
 * @property {number | null} delayMs  From the commit to the page, of what was committed after that first one; 19 of 20
 *   were faster.
 * @property {number} changes  That were made in the time.
 * @property {number[]} missed
 * @property {number[]} repeated
 * @property {number[]} wrong  Pets that were shown otherwise than they were in the end.
 */

/**
 * @param {object} what
 * @param {keyof typeof import("./rig/subject.mjs").SUBJECTS} what.subject
 * @param {import("./boxes.mjs").Box} what.box
 * @param {import("./rig/browser.mjs").BrowserName} what.browser
 * @param {Plan} what.plan
 * @returns {Promise<Visit>}
 */
export async function measure({ subject, box, browser, plan }) {
  // What is timed is not to be slowed down by another browser that starts.
  const [scene, slow] = await inTurn(async () => [await goLive({ subject, start: box.start, browser }), slowness()]);
  try {
    await follow(scene.feed, plan);
    const { recording, changes, missed, repeated, wrong } = await scene.account();
    const { said, seen, fromRev } = recording;
    return {
      transport: transportOf(recording),
      said: said.map(({ text }) => text),
      liveMs: seen.find(({ rev }) => rev > fromRev)?.atMs ?? null,
      slowness: slow,
      delayMs: percentile(delays(recording), 0.95),
      ...{ changes, missed, repeated, wrong },
    };
  } finally {
    await scene.close();
  }
}

/** Opens the page while pets change, and waits for the first change that it sees. */
async function goLive(what) {
  const scene = await Scene.open(what);
  try {
    scene.feed.start();
    await scene.visit("/pets");
    await scene.tab.recordingWhen(({ seen }) => seen.length > 0, PATIENCE_MS);
    return scene;
  } catch (error) {
    await scene.close();
    throw error;
  }
}

/** @param {import("./rig/feed.mjs").Feed} feed @param {Plan} plan */
async function follow(feed, { busyMs, quietMs, againMs }) {
  await pause(busyMs);
  await feed.stop();
  await pause(quietMs);
  if (againMs > 0) feed.start();
  await pause(againMs);
}

/** How long each change took to a page that was live, in ms. A snapshot is as old as the newest in it. */
function delays({ originMs, seen }) {
  const liveMs = originMs + (seen[0]?.atMs ?? 0);
  const later = seen.filter(({ sinceMs }) => sinceMs !== null && sinceMs > liveMs);
  return later.map(({ atMs, sinceMs }) => originMs + atMs - sinceMs);
}

function percentile(numbers, share) {
  const sorted = numbers.toSorted((one, other) => one - other);
  return sorted[Math.ceil(sorted.length * share) - 1] ?? null;
}
