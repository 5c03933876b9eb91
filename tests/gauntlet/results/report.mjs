/** Makes the tables of the guide from the results. */
import { NAMES } from "./verdict.mjs";

const HEADS = { "pet-store": "pet-store", "socket.io": "Socket.IO" };
const BROWSERS = { chromium: "Chromium", firefox: "Firefox" };

/**
 * Results by `keyOfVisit` and `keyOfBreak`.
 * @typedef {Record<string, import("../measure.mjs").Visit & import("../broken/case.mjs").Outcome>} Results
 */

export const keyOfVisit = (box, subject, browser) => `${box} ${subject} ${browser}`;
export const keyOfBreak = (fault, browser) => `broken: ${fault} ${browser}`;

/**
 * @param {import("../boxes.mjs").Box[]} boxes
 * @param {Results} results
 * @returns {string} A row for each box, a column for each subject in each browser.
 */
export function tableOfVisits(boxes, results) {
  const columns = Object.keys(HEADS).flatMap((subject) => Object.keys(BROWSERS).map((browser) => [subject, browser]));
  const heads = columns.map(([subject, browser]) => `${HEADS[subject]}, ${BROWSERS[browser]}`);
  const rows = boxes.map(({ id, what, guide }) => [
    guide ? `[${what}](networks/${guide})` : what,
    ...columns.map((column) => cell(results[keyOfVisit(id, ...column)])),
  ]);
  return table(["between visitor and server", ...heads], rows);
}

/** By how much pet-store may be later than Socket.IO, in ms: less than a frame or two. */
const UNNOTICED_MS = 20;

/**
 * Compares pet-store with Socket.IO.
 * @param {import("../boxes.mjs").Box[]} boxes
 * @param {Results} results
 * @returns {string} In how many cells pet-store is sooner, and is not later afterwards; and the changes missed and repeated.
 */
export function summaryOfVisits(boxes, results) {
  const cells = boxes.flatMap(({ id }) =>
    Object.keys(BROWSERS).map((browser) => Object.keys(HEADS).map((subject) => results[keyOfVisit(id, subject, browser)])),
  );
  const whole = cells.filter(([mine, theirs]) => mine && theirs);
  const figure = (value) => value ?? Infinity;
  const sooner = whole.filter(([mine, theirs]) => figure(mine.liveMs) < figure(theirs.liveMs)).length;
  const prompt = whole.filter(([mine, theirs]) => figure(mine.delayMs) <= figure(theirs.delayMs) + UNNOTICED_MS).length;
  const total = (name) => cells.reduce((sum, [mine]) => sum + (mine?.[name].length ?? 0), 0);
  return [
    `pet-store shows its first live change sooner than Socket.IO in ${sooner} of ${whole.length} cells, and delivers 95 % of`,
    `the changes after that within Socket.IO's time plus ${UNNOTICED_MS} ms in ${prompt}. Missed: ${total("missed")}, repeated:`,
    `${total("repeated")}.`,
  ].join(" ");
}

/**
 * @param {import("../boxes.mjs").Box[]} boxes
 * @param {Results} results
 * @returns {string} A row for each box, with pet-store in each browser.
 */
export function tableOfFurther(boxes, results) {
  const rows = boxes.map(({ id, what }) => [
    what,
    ...Object.keys(BROWSERS).map((browser) => cell(results[keyOfVisit(id, "pet-store", browser)])),
  ]);
  return table(["between visitor and server", ...Object.values(BROWSERS)], rows);
}

/**
 * @param {{ id: string, what: string }[]} breaks
 * @param {Results} results
 * @returns {string} A row for each fault, a column for each browser.
 */
export function tableOfBreaks(breaks, results) {
  const rows = breaks.map(({ id, what }) => [
    what,
    ...Object.keys(BROWSERS).map((browser) => cell(results[keyOfBreak(id, browser)])),
  ]);
  return table(["what happens", ...Object.values(BROWSERS)], rows);
}

/** @param {string[]} heads @param {string[][]} rows */
function table(heads, rows) {
  return [heads, heads.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

/** Returns the transport, the time until live, the delay, and what was wrong, if anything was. */
function cell(measured) {
  if (!measured) return "";
  const { transport, liveMs, delayMs, missed, repeated, wrong } = measured;
  const parts = [NAMES[transport]];
  if (liveMs !== null) parts.push(`${(liveMs / 1000).toFixed(2)} s`);
  if (delayMs !== undefined && delayMs !== null) parts.push(`${Math.round(delayMs)} ms`);
  if (missed.length > 0) parts.push(`**${missed.length} missed**`);
  if (repeated.length > 0) parts.push(`**${repeated.length} repeated**`);
  if (wrong.length > 0) parts.push(`**${wrong.length} wrong in the end**`);
  return parts.join(" · ");
}

/**
 * @param {string} guide  A text with `<!-- gauntlet: NAME -->` and after it `<!-- end -->`.
 * @param {string} name
 * @param {string} content
 * @returns {string} The text with the content between its marks.
 */
export function put(guide, name, content) {
  const mark = `<!-- gauntlet: ${name} -->`;
  const start = guide.indexOf(mark);
  const end = guide.indexOf("<!-- end -->", start);
  if (start < 0 || end < 0) throw new Error(`the guide has no ${mark} with an end`);
  return `${guide.slice(0, start + mark.length)}\n\n${content}\n\n${guide.slice(end)}`;
}
