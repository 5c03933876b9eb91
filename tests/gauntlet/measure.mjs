/**
 * One visit: a fresh browser opens the page of a subject through a proxy while changes are committed, and what it received
 * is compared with the history.
 */
import { setTimeout as pause } from "node:timers/promises";
import { delays, percentile } from "./results/delays.mjs";
import { transportOf } from "./support/recorder.mjs";
import { Scene } from "./support/scene.mjs";
import { slowness } from "./support/slowness.mjs";
import { inTurn } from "./support/in-turn.mjs";
import { SUBJECTS } from "./support/subject.mjs";

/**
 * How long changes are committed, then none, then changes again, in ms. The quiet part is for proxies that cut idle
 * connections.
 * @typedef {{ busyMs: number, quietMs: number, againMs: number }} Plan
 */

/**
 * The busy part is longer than the six seconds in which a better transport proves itself beside the first one.
 * @type {Record<"short" | "long", Plan>}
 */
export const PLANS = {
  short: { busyMs: 8_000, quietMs: 0, againMs: 0 },
  long: { busyMs: 15_000, quietMs: 30_000, againMs: 15_000 },
};

/** Time limit for the first change. */
const PATIENCE_MS = 30_000;

/**
 * @typedef {object} Visit
 * @property {string} transport  The transport in use at the end; `none` if the page was not connected.
 * @property {string[]} said  The texts of the connection status, in order.
 * @property {number | null} liveMs  From the start of the navigation to the first change after the page's own state.
 * @property {number} slowness  How busy the machine was: see `slowness`.
 * @property {number | null} delayMs  From commit to page, for changes after the first one: the 95th percentile.
 * @property {number} changes  Committed during the visit.
 * @property {number[]} missed
 * @property {number[]} repeated
 * @property {number[]} wrong  Pets that were shown with a wrong status in the end.
 */

/**
 * @param {object} what
 * @param {keyof typeof import("./support/subject.mjs").SUBJECTS} what.subject
 * @param {import("./boxes.mjs").Box} what.box
 * @param {import("./support/browser.mjs").BrowserName} what.browser
 * @param {Plan} what.plan
 * @returns {Promise<Visit>}
 */
export async function measure({ subject, box, browser, plan }) {
  // One at a time: a starting browser would slow the measurement down.
  const [scene, slow] = await inTurn(async () => [await goLive({ subject: SUBJECTS[subject], start: box.start, browser }), slowness()]);
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

/** Opens the page while changes are committed, and waits until it has received the first one. */
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

/** @param {import("./support/feed.mjs").Feed} feed @param {Plan} plan */
async function follow(feed, { busyMs, quietMs, againMs }) {
  await pause(busyMs);
  await feed.stop();
  await pause(quietMs);
  if (againMs > 0) feed.start();
  await pause(againMs);
}
