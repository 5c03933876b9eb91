/**
 * The gauntlet as a command: takes both subjects through every box in both browsers, and writes the table of the guide.
 *
 *   node tests/gauntlet/run.mjs [--long] [--write] [--fresh] [--box ID]… [--browser NAME]… [--subject NAME]… [--parallel N]
 *
 * What was measured is kept in target/gauntlet, so that a run that was ended goes on where it was, and `--fresh` begins
 * anew. Ends with 1 when pet-store fell short of a bound.
 */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { BOXES } from "./boxes.mjs";
import { measure, PLANS } from "./measure.mjs";
import { keyOf, put, table } from "./report.mjs";
import { SUBJECTS } from "./rig/subject.mjs";
import { NAMES, shortcomings } from "./verdict.mjs";

const GUIDE = new URL("../../docs/networks.md", import.meta.url);
const KEPT = new URL("../../target/gauntlet/", import.meta.url);

const { values } = parseArgs({
  options: {
    long: { type: "boolean", default: false },
    write: { type: "boolean", default: false },
    fresh: { type: "boolean", default: false },
    box: { type: "string", multiple: true },
    browser: { type: "string", multiple: true, default: ["chromium", "firefox"] },
    subject: { type: "string", multiple: true, default: Object.keys(SUBJECTS) },
    parallel: { type: "string", default: "1" },
  },
});

const plan = values.long ? "long" : "short";
const kept = new URL(`${plan}.json`, KEPT);
const boxes = BOXES.filter(({ id }) => values.box?.includes(id) ?? true);

await mkdir(KEPT, { recursive: true });
const results = values.fresh ? {} : JSON.parse(await readFile(kept, "utf8").catch(() => "{}"));

const cells = boxes.flatMap((box) =>
  values.browser.flatMap((browser) => values.subject.map((subject) => ({ box, subject, browser }))),
);
const waiting = cells.filter((cell) => !(nameOf(cell) in results));
await Promise.all(Array.from({ length: Number(values.parallel) }, work));
if (values.write) await writeFile(GUIDE, put(await readFile(GUIDE, "utf8"), table(BOXES, results)));
process.exitCode = cells.some((cell) => faultsOf(cell).length > 0) ? 1 : 0;

function nameOf({ box, subject, browser }) {
  return keyOf({ box: box.id, subject, browser });
}

/** pet-store alone is held to the bounds. */
function faultsOf(cell) {
  return cell.subject === "pet-store" ? shortcomings(cell.box, results[nameOf(cell)]) : [];
}

async function work() {
  for (let cell = waiting.shift(); cell; cell = waiting.shift()) {
    const name = nameOf(cell);
    results[name] = await measure({ ...cell, plan: PLANS[plan] });
    await writeFile(kept, JSON.stringify(results, null, 1));
    const { transport, firstMs, missed, repeated } = results[name];
    const figures = `${Math.round(firstMs ?? NaN)} ms, ${missed.length} missed, ${repeated.length} repeated`;
    console.log([`${name}: ${NAMES[transport]}, ${figures}`, ...faultsOf(cell)].join("\n  FELL SHORT: "));
  }
}
