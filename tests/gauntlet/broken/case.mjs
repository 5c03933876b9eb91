/**
 * One broken network, from inside: `unshare --net node case.mjs FAULT BROWSER`. Prints what came of it as one line of
 * JSON, an `Outcome`.
 */
import { setTimeout as pause } from "node:timers/promises";
import { Browser } from "../support/browser.mjs";
import { transportOf } from "../support/recorder.mjs";
import { account } from "../support/scene.mjs";
import { slowness } from "../support/slowness.mjs";
import { FAULTS } from "./faults.mjs";
import { Network } from "./network.mjs";
import { Server } from "./server.mjs";

/** Time that the page is live before the fault, and observed after it. */
const CALM_MS = 5_000;

/** Time limit of each step. */
const PATIENCE_MS = 60_000;

/**
 * @typedef {object} Outcome
 * @property {number | null} liveMs  From the end of the fault, or from the navigation where the fault is the
 *   visitor's own, until the page showed all that had happened by then, and one change more; null when it never did.
 * @property {number} slowness  How busy the machine was: see `slowness`.
 * @property {string} transport
 * @property {string[]} said
 * @property {number} changes
 * @property {number[]} missed
 * @property {number[]} repeated
 * @property {number[]} wrong
 */

const [faultName, browserName] = process.argv.slice(2);
const fault = FAULTS[faultName];
const network = await Network.open();
const server = await Server.open(network);
const browser = await Browser.open(/** @type {import("../support/browser.mjs").BrowserName} */ (browserName));
try {
  console.log(JSON.stringify(await suffer()));
} finally {
  await browser.close();
  await server.close();
  await network.close();
}

/** @returns {Promise<Outcome>} */
async function suffer() {
  const tab = await browser.openTab(fault.script, ...(fault.args ?? []));
  await tab.visit(`${server.subject.origin}/pets`);
  let healedMs = (await tab.recordingWhen(isLive, PATIENCE_MS)).originMs;
  if (fault.strike) {
    await pause(CALM_MS);
    await fault.strike({ network, server, browser });
    healedMs = Date.now();
  }
  // The next rev: what the page received before the fault proves nothing.
  const rev = (await server.subject.board()).rev + 1;
  const { originMs, seen } = await tab.recordingWhen((recording) => isAt(rev, recording), PATIENCE_MS);
  const slow = slowness();
  const arrival = seen.find((each) => each.rev >= rev);
  await pause(CALM_MS);
  const { recording, changes, missed, repeated, wrong } = await account(server.subject, tab, { isStill: false });
  return {
    liveMs: arrival ? originMs + arrival.atMs - healedMs : null,
    slowness: slow,
    transport: transportOf(recording),
    said: recording.said.map(({ text }) => text),
    ...{ changes, missed, repeated, wrong },
  };
}

function isLive(recording) {
  return recording.seen.length > 0 && transportOf(recording) !== "none";
}

function isAt(rev, { seen }) {
  return seen.at(-1)?.rev >= rev;
}
