/**
 * One visit: a fresh browser opens the page of a subject through a box while its pets change, and what it saw is held
 * against what happened.
 */
import { setTimeout as pause } from "node:timers/promises";
import { settle, wrongCards } from "./ledger.mjs";
import { Browser } from "./rig/browser.mjs";
import { Feed } from "./rig/feed.mjs";
import { transportOf } from "./rig/recorder.mjs";
import { PETS, SUBJECTS } from "./rig/subject.mjs";

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

/** How long the first change, and after the last one everything that is missing, may take before it is given up. */
const PATIENCE_MS = 30_000;

/**
 * @typedef {object} Visit
 * @property {string} transport  What the page said at the end that it uses; `none` when it was not connected.
 * @property {string[]} said  What the connection line said, one after the other.
 * @property {number | null} firstMs  From the start of the navigation to the first change after the page's own state.
 * @property {number | null} delayMs  From the commit to the page, of what was committed after that first one; 19 of 20
 *   were faster.
 * @property {number} changes  That were made in the time.
 * @property {number[]} missed
 * @property {number[]} repeated
 * @property {string[]} wrong  Pets that were shown otherwise than they were in the end.
 */

/**
 * @param {object} what
 * @param {keyof typeof SUBJECTS} what.subject
 * @param {import("./boxes.mjs").Box} what.box
 * @param {import("./rig/browser.mjs").BrowserName} what.browser
 * @param {Plan} what.plan
 * @returns {Promise<Visit>}
 */
export async function measure({ subject: name, box, browser: browserName, plan }) {
  /** @type {(() => Promise<void>)[]} What is open, in the order in which it was opened. */
  const open = [];
  const keep = (thing, close) => (open.unshift(() => close(thing)), thing);
  try {
    const subject = keep(await SUBJECTS[name](), (subject) => subject.stop());
    const route = keep(await box.start(subject.address), (route) => route.stop());
    const browser = keep(await Browser.open(browserName, route), (browser) => browser.close());
    const feed = new Feed((pet, status) => subject.setStatus(pet, status), PETS);
    const tab = await browser.openTab();
    return await visit({ subject, feed, tab, url: `${route.origin}/pets`, plan });
  } finally {
    for (const close of open) await close();
  }
}

/**
 * @param {{ subject: import("./rig/subject.mjs").Subject, feed: Feed, tab: import("./rig/browser.mjs").Tab,
 *   url: string, plan: Plan }} what
 * @returns {Promise<Visit>}
 */
async function visit({ subject, feed, tab, url, plan }) {
  feed.start();
  await tab.visit(url);
  await tab.recordingWhen(({ seen }) => seen.length > 0, PATIENCE_MS);
  await pause(plan.busyMs);
  await feed.stop();
  await pause(plan.quietMs);
  if (plan.againMs > 0) feed.start();
  await pause(plan.againMs);
  await feed.stop();

  const { rev, statuses } = await subject.board();
  const recording = await tab.recordingWhen(({ seen }) => seen.at(-1)?.rev === rev, PATIENCE_MS);
  const { fromRev, seen, said } = recording;
  const history = await subject.history(fromRev);
  const mayMerge = (await subject.metric("petstore_resyncs_total")) > 0;
  return {
    transport: transportOf(recording),
    said: said.map(({ text }) => text),
    firstMs: seen.find((each) => each.rev > fromRev)?.atMs ?? null,
    delayMs: percentile(delays(recording), 0.95),
    changes: history.length,
    ...settle({ fromRev, seen, history, mayMerge }),
    wrong: wrongCards(recording.statuses, statuses),
  };
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
