/** The table of the guide, made of what was measured. */
import { NAMES } from "./verdict.mjs";

const START = "<!-- gauntlet: written by tests/gauntlet/run.mjs -->";
const END = "<!-- gauntlet: end -->";

const HEADS = { "pet-store": "pet-store", "socket.io": "Socket.IO" };
const BROWSERS = { chromium: "Chromium", firefox: "Firefox" };

/**
 * What was measured, by box, subject and browser.
 * @typedef {Record<string, import("./measure.mjs").Visit>} Results
 */

/** The key of a result. */
export const keyOf = ({ box, subject, browser }) => `${box} ${subject} ${browser}`;

/**
 * @param {import("./boxes.mjs").Box[]} boxes
 * @param {Results} results
 * @returns {string} A table in Markdown: a row for each box, a column for each subject in each browser.
 */
export function table(boxes, results) {
  const columns = Object.keys(HEADS).flatMap((subject) => Object.keys(BROWSERS).map((browser) => ({ subject, browser })));
  const heads = columns.map(({ subject, browser }) => `${HEADS[subject]}, ${BROWSERS[browser]}`);
  const rows = boxes.map(({ id, what, guide }) => [
    guide ? `[${what}](networks/${guide})` : what,
    ...columns.map((column) => cell(results[keyOf({ box: id, ...column })])),
  ]);
  return [["between visitor and pet-store", ...heads], heads.map(() => "---").concat("---"), ...rows]
    .map((cells) => `| ${cells.join(" | ")} |`)
    .join("\n");
}

/** Transport, first live change, delay; and only where there is something to say, what was wrong. */
function cell(visit) {
  if (!visit) return "";
  const { transport, firstMs, delayMs, missed, repeated, wrong } = visit;
  const parts = [NAMES[transport]];
  if (firstMs !== null) parts.push(`${(firstMs / 1000).toFixed(2)} s`);
  if (delayMs !== null) parts.push(`${Math.round(delayMs)} ms`);
  if (missed.length > 0) parts.push(`**${missed.length} missed**`);
  if (repeated.length > 0) parts.push(`**${repeated.length} repeated**`);
  if (wrong.length > 0) parts.push(`**${wrong.length} wrong in the end**`);
  return parts.join(" · ");
}

/**
 * @param {string} guide  A text with the two marks.
 * @param {string} content
 * @returns {string} The text with the content between its marks, and nothing else changed.
 */
export function put(guide, content) {
  const [start, end] = [guide.indexOf(START), guide.indexOf(END)];
  if (start < 0 || end < start) throw new Error(`the guide has no ${START} … ${END}`);
  return `${guide.slice(0, start + START.length)}\n\n${content}\n\n${guide.slice(end)}`;
}
