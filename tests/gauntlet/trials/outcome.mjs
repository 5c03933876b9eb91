/** What came of a trial. */
import { delays, percentile } from "../results/delays.mjs";
import { transportOf } from "../support/recorder.mjs";
import { slowness } from "../support/slowness.mjs";

/**
 * @typedef {import("../measure.mjs").Visit} Outcome
 *
 * @typedef {object} Trial  A damaged network, and its bounds.
 * @property {string} id
 * @property {string} what  For the report.
 * @property {boolean} [isLong]  It takes more than half a minute.
 * @property {string[]} transports
 * @property {number} withinMs
 * @property {(outcome: any) => string[]} [also]  Finds what else is out of bounds.
 * @property {(browser: import("../support/browser.mjs").BrowserName) => Promise<Outcome>} run
 */

/**
 * Ends a visit: stops the changes, and compares what the page received with them.
 * @param {import("../support/scene.mjs").Scene} scene
 * @param {number} [fromMs]  Only the delays of changes after this time count, in ms since 1970.
 * @returns {Promise<Outcome & { recording: import("../support/recorder.mjs").Recording }>}
 */
export async function outcomeOf(scene, fromMs) {
  const { recording, changes, missed, repeated, wrong } = await scene.account();
  const { seen, said, fromRev } = recording;
  return {
    transport: transportOf(recording),
    said: said.map(({ text }) => text),
    liveMs: seen.find(({ rev }) => rev > fromRev)?.atMs ?? null,
    slowness: slowness(),
    delayMs: percentile(delays(recording, fromMs), 0.95),
    ...{ changes, missed, repeated, wrong, recording },
  };
}

/** Returns a complaint if a figure is missing or above its limit. */
export function above(figure, limit, what) {
  if (figure !== null && figure <= limit) return [];
  return [figure === null ? `${what}: never` : `${what}: ${Math.round(figure)}, and not at most ${Math.round(limit)}`];
}
