/** Boxes that make messages late: the page has to leave what is later than polling, and to ask again in time. */
import { setTimeout as pause } from "node:timers/promises";
import * as nginx from "../boxes/nginx.mjs";
import * as relays from "../boxes/relays.mjs";
import { delays } from "../results/delays.mjs";
import { Scene } from "../support/scene.mjs";
import { above, outcomeOf } from "./outcome.mjs";

const ANY = ["ws", "sse", "poll", "short"];
const POLLING = ["poll", "short"];
const PATIENCE_MS = 40_000;

/** A delay that nobody notices beside the one of polling. */
const UNNOTICED_MS = 20;

/** The interval of short polling, and a round trip on a busy machine. */
const SHORT_POLL_MS = 4_500;

/** @type {import("./outcome.mjs").Trial[]} */
export const LATE = [
  {
    id: "buffered-and-busy",
    what: "an nginx buffers streams on a board with 40 changes/s",
    isLong: true,
    transports: POLLING,
    withinMs: 4_000,
    also: ({ delayMs, pollingMs, slowness }) =>
      above(delayMs, pollingMs + UNNOTICED_MS * slowness, `95 % of the changes, in ms, where polling takes ${Math.round(pollingMs)}`),
    run: bufferedAndBusy,
  },
  {
    id: "cache",
    what: "a cache ignores `no-store`, and ends what waits 3 s",
    isLong: true,
    transports: POLLING,
    withinMs: 10_000,
    also: ({ delayMs }) => above(delayMs, SHORT_POLL_MS, "95 % of the changes, in ms"),
    run: (browser) => cached(browser, "$uri$is_args$args"),
  },
  {
    id: "cache-without-query",
    what: "the same cache ignores the query, too",
    isLong: true,
    transports: POLLING,
    withinMs: 10_000,
    also: ({ delayMs }) => above(delayMs, SHORT_POLL_MS, "95 % of the changes, in ms"),
    run: (browser) => cached(browser, "$uri"),
  },
  {
    id: "idle-dropped",
    what: "a box drops TCP connections after 10 s of silence, and changes are 13 s apart",
    isLong: true,
    transports: ANY,
    withinMs: 30_000,
    also: ({ longestMs, lastMs }) => [
      ...above(longestMs, 10_500, "longest delay, in ms"),
      ...above(lastMs, 2_000, "longest delay of the last three changes, in ms"),
    ],
    run: idleDropped,
  },
];

/** Opens a page, lets it settle, and measures. */
async function watched(browser, start, rate, { settleMs, measureMs }) {
  const scene = await Scene.open({ start, browser, rate });
  try {
    scene.feed.start();
    await scene.visit("/pets");
    await scene.tab.recordingWhen(({ seen }) => seen.length > 0, PATIENCE_MS);
    await pause(settleMs);
    const fromMs = Date.now();
    await pause(measureMs);
    return await outcomeOf(scene, fromMs);
  } finally {
    await scene.close();
  }
}

async function bufferedAndBusy(browser) {
  const plan = { settleMs: 12_000, measureMs: 8_000 };
  const { delayMs: pollingMs } = await watched(browser, nginx.pollingOnly, { everyMs: 25 }, plan);
  return { ...(await watched(browser, nginx.holding, { everyMs: 25 }, plan)), pollingMs };
}

/** Changes are rare, so that most polls have nothing to return. */
function cached(browser, key) {
  return watched(browser, nginx.caching(key), { everyMs: 2_300 }, { settleMs: 8_000, measureMs: 30_000 });
}

async function idleDropped(browser) {
  const outcome = await watched(browser, relays.dropsIdle, { everyMs: 13_000 }, { settleMs: 0, measureMs: 100_000 });
  const all = delays(outcome.recording);
  return { ...outcome, longestMs: Math.max(...all), lastMs: Math.max(...all.slice(-3)) };
}
