/**
 * The gauntlet as a command: runs pet-store and Socket.IO behind every proxy in both browsers, breaks the network of
 * pet-store in every way, and writes the tables of the guide.
 *
 *   node tests/gauntlet/run.mjs [--long] [--write] [--fresh] [--parallel N]
 *     [--box ID]… [--fault ID]… [--browser NAME]… [--subject NAME]…
 *
 * Results are stored in target/gauntlet, so that an interrupted run can continue; `--fresh` starts again. The exit code is 1
 * if pet-store missed a bound.
 */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { BOXES } from "./boxes.mjs";
import { BREAKS, suffer } from "./broken.mjs";
import { measure, PLANS } from "./measure.mjs";
import { keyOfBreak, keyOfVisit, put, tableOfBreaks, tableOfVisits } from "./report.mjs";
import { SUBJECTS } from "./support/subject.mjs";
import { NAMES, shortcomings } from "./verdict.mjs";

const GUIDE = new URL("../../docs/networks.md", import.meta.url);
const KEPT = new URL("../../target/gauntlet/", import.meta.url);

const { values: asked } = parseArgs({
  options: {
    long: { type: "boolean", default: false },
    write: { type: "boolean", default: false },
    fresh: { type: "boolean", default: false },
    parallel: { type: "string", default: "1" },
    box: { type: "string", multiple: true },
    fault: { type: "string", multiple: true },
    browser: { type: "string", multiple: true, default: ["chromium", "firefox"] },
    subject: { type: "string", multiple: true, default: Object.keys(SUBJECTS) },
  },
});

/**
 * One cell of a table.
 * @typedef {object} Job
 * @property {string} key
 * @property {() => Promise<import("./measure.mjs").Visit | import("./broken/case.mjs").Outcome>} act
 * @property {{ transports: string[], withinMs: number } | null} bounds  Null for subjects that are only compared.
 */

const plan = asked.long ? "long" : "short";
const kept = new URL(`${plan}.json`, KEPT);
await mkdir(KEPT, { recursive: true });
const results = asked.fresh ? {} : JSON.parse(await readFile(kept, "utf8").catch(() => "{}"));

const jobs = [...visits(), ...breaks()];
const waiting = jobs.filter(({ key }) => !(key in results));
await Promise.all(Array.from({ length: Number(asked.parallel) }, work));
if (asked.write) await writeGuide();
process.exitCode = jobs.some((job) => faultsOf(job).length > 0) ? 1 : 0;

/** Returns the selected items, or all if none are selected. */
function chosen(all, ids, otherIds) {
  return ids || otherIds ? all.filter(({ id }) => ids?.includes(id)) : all;
}

/** @returns {Job[]} */
function visits() {
  return chosen(BOXES, asked.box, asked.fault).flatMap((box) =>
    asked.browser.flatMap((browser) =>
      asked.subject.map((subject) => ({
        key: keyOfVisit(box.id, subject, browser),
        act: () => measure({ box, subject, browser, plan: PLANS[plan] }),
        bounds: subject === "pet-store" ? box : null,
      })),
    ),
  );
}

/** @returns {Job[]} */
function breaks() {
  return chosen(BREAKS, asked.fault, asked.box).flatMap((bounds) =>
    asked.browser.map((browser) => ({
      key: keyOfBreak(bounds.id, browser),
      act: () => suffer(bounds.id, browser),
      bounds,
    })),
  );
}

async function work() {
  for (let job = waiting.shift(); job; job = waiting.shift()) {
    results[job.key] = await job.act();
    await writeFile(kept, JSON.stringify(results, null, 1));
    const { transport, liveMs, missed, repeated } = results[job.key];
    const figures = `${Math.round(liveMs ?? NaN)} ms, ${missed.length} missed, ${repeated.length} repeated`;
    console.log([`${job.key}: ${NAMES[transport]}, ${figures}`, ...faultsOf(job)].join("\n  FELL SHORT: "));
  }
}

/** @param {Job} job */
function faultsOf({ key, bounds }) {
  return bounds ? shortcomings(bounds, results[key]) : [];
}

async function writeGuide() {
  const guide = await readFile(GUIDE, "utf8");
  const withVisits = put(guide, "boxes", tableOfVisits(BOXES, results));
  await writeFile(GUIDE, put(withVisits, "broken", tableOfBreaks(BREAKS, results)));
}
