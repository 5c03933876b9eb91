/**
 * The gauntlet as a command: runs pet-store and Socket.IO behind every proxy in both browsers, breaks and damages the network
 * of pet-store in every way, and writes the tables of the guide.
 *
 *   node tests/gauntlet/run.mjs [--long] [--write] [--fresh] [--parallel N]
 *     [--box ID]… [--fault ID]… [--browser NAME]… [--subject NAME]…
 *   node tests/gauntlet/run.mjs --first-live [--rounds N] [--network ID]… [--page NAME]… [--write] [--fresh] [--browser NAME]…
 *
 * With `--first-live` it compares the time until the first live change with Socket.IO on the same page, and nothing else.
 * `PET_STORE_BIN` names the program, which should be a release build for figures.
 *
 * Results are stored in target/gauntlet, so that an interrupted run can continue; `--fresh` starts again. The exit code is 1
 * if pet-store missed a bound, or is not sooner than Socket.IO.
 */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { BOXES } from "./boxes.mjs";
import { FURTHER, SLOW } from "./boxes/further.mjs";
import { BREAKS, suffer } from "./broken/broken.mjs";
import { keyOfCell, NETWORKS, PAGES, RIVALS } from "./first-live/cells.mjs";
import { compare } from "./first-live/compare.mjs";
import { isFirst, medianMs, summary, tableOfComparisons } from "./first-live/table.mjs";
import { measure, PLANS } from "./measure.mjs";
import { keyOfBreak, keyOfVisit, put, summaryOfVisits, tableOfBreaks, tableOfFurther, tableOfVisits } from "./results/report.mjs";
import { SUBJECTS } from "./support/subject.mjs";
import { shortcomingsOf, TRIALS } from "./trials/trials.mjs";
import { NAMES, shortcomings } from "./results/verdict.mjs";

const GUIDE = new URL("../../docs/networks.md", import.meta.url);
const KEPT = new URL("../../target/gauntlet/", import.meta.url);

const { values: asked } = parseArgs({
  options: {
    "first-live": { type: "boolean", default: false },
    rounds: { type: "string", default: "5" },
    long: { type: "boolean", default: false },
    write: { type: "boolean", default: false },
    fresh: { type: "boolean", default: false },
    parallel: { type: "string", default: "1" },
    network: { type: "string", multiple: true },
    page: { type: "string", multiple: true, default: Object.keys(PAGES) },
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
 * @property {() => Promise<any>} act
 * @property {(result: any) => string} figures  For the terminal.
 * @property {(result: any) => string[]} faults  What fell short.
 */

const plan = asked.long ? "long" : "short";
const kept = new URL(asked["first-live"] ? "first-live.json" : `${plan}.json`, KEPT);
await mkdir(KEPT, { recursive: true });
const results = asked.fresh ? {} : JSON.parse(await readFile(kept, "utf8").catch(() => "{}"));

const jobs = asked["first-live"] ? comparisons() : [...visits(), ...breaks(), ...trials()];
const waiting = jobs.filter(({ key }) => !(key in results));
// A comparison needs the machine for itself.
await Promise.all(Array.from({ length: asked["first-live"] ? 1 : Number(asked.parallel) }, work));
if (asked["first-live"]) console.log(summary(results));
else if (!asked.box && !asked.fault) console.log(summaryOfVisits(BOXES, results));
if (asked.write) await writeGuide();
process.exitCode = jobs.some(({ key, faults }) => faults(results[key]).length > 0) ? 1 : 0;

/** Returns true if an item is selected, or nothing is. */
function isChosen({ id }, ids, otherIds) {
  return ids || otherIds ? ids?.includes(id) : true;
}

/** @returns {Job[]} */
function comparisons() {
  return NETWORKS.filter((each) => isChosen(each, asked.network)).flatMap((network) =>
    asked.page.flatMap((page) =>
      asked.browser.map((browser) => ({
        key: keyOfCell(network.id, page, browser),
        act: () => compare({ network, page, browser, rounds: Number(asked.rounds) }),
        figures: (comparison) => figuresOfComparison(network, comparison),
        faults: (comparison) => (isFirst(comparison) ? [] : ["not sooner than Socket.IO on the same page"]),
      })),
    ),
  );
}

/** @returns {Job[]} */
function visits() {
  const further = [...FURTHER, ...SLOW].map((box) => ({ box, subjects: asked.subject.filter((name) => name === "pet-store") }));
  const all = [...BOXES.map((box) => ({ box, subjects: asked.subject })), ...further];
  return all.filter(({ box }) => isChosen(box, asked.box, asked.fault)).flatMap(({ box, subjects }) =>
    asked.browser.flatMap((browser) =>
      subjects.map((subject) => ({
        key: keyOfVisit(box.id, subject, browser),
        act: () => measure({ box, subject, browser, plan: PLANS[plan] }),
        figures: figuresOfVisit,
        // The others are only compared.
        faults: (visit) => (subject === "pet-store" ? shortcomings(box, visit) : []),
      })),
    ),
  );
}

/** @returns {Job[]} */
function breaks() {
  return BREAKS.filter((each) => isChosen(each, asked.fault, asked.box)).flatMap((bounds) =>
    asked.browser.map((browser) => ({
      key: keyOfBreak(bounds.id, browser),
      act: () => suffer(bounds.id, browser),
      figures: figuresOfVisit,
      faults: (outcome) => shortcomings(bounds, outcome),
    })),
  );
}

/** Those that take long only with `--long`, or by name. @returns {Job[]} */
function trials() {
  const inTime = TRIALS.filter(({ id, isLong }) => !isLong || asked.long || asked.fault?.includes(id));
  return inTime.filter((each) => isChosen(each, asked.fault, asked.box)).flatMap((trial) =>
    asked.browser.map((browser) => ({
      key: keyOfBreak(trial.id, browser),
      act: async () => ({ ...(await trial.run(browser)), recording: undefined }),
      figures: figuresOfVisit,
      faults: (outcome) => shortcomingsOf(trial, outcome),
    })),
  );
}

async function work() {
  for (let job = waiting.shift(); job; job = waiting.shift()) {
    const result = await job.act();
    results[job.key] = result;
    await writeFile(kept, JSON.stringify(results, null, 1));
    console.log([`${job.key}: ${job.figures(result)}`, ...job.faults(result)].join("\n  FELL SHORT: "));
  }
}

function figuresOfVisit({ transport, liveMs, delayMs, missed, repeated }) {
  const times = `${Math.round(liveMs ?? NaN)} ms${delayMs ? `, then ${Math.round(delayMs)} ms` : ""}`;
  return `${NAMES[transport]}, ${times}, ${missed.length} missed, ${repeated.length} repeated`;
}

/** @param {import("./first-live/cells.mjs").Network} network @param {import("./first-live/compare.mjs").Comparison} comparison */
function figuresOfComparison({ calmMs }, { samples, slowness }) {
  const medians = Object.entries(samples).map(([rival, all]) => `${RIVALS[rival]} ${Math.round(medianMs(all))} ms`);
  const isLate = medianMs(samples["pet-store"]) > calmMs;
  const load = `busy × ${slowness.toFixed(1)}`;
  return [...medians, load, ...(isLate ? [`over the ${calmMs} ms of a calm machine`] : [])].join(", ");
}

async function writeGuide() {
  const guide = await readFile(GUIDE, "utf8");
  if (asked["first-live"]) return writeFile(GUIDE, put(guide, "first-live", tableOfComparisons(results)));
  const visits = [tableOfVisits(BOXES, results), "", summaryOfVisits(BOXES, results)].join("\n");
  const tables = {
    boxes: visits,
    further: tableOfFurther([...FURTHER, ...SLOW], results),
    broken: tableOfBreaks([...BREAKS, ...TRIALS], results),
  };
  return writeFile(GUIDE, Object.entries(tables).reduce((text, [name, table]) => put(text, name, table), guide));
}
