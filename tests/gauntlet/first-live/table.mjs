/** Makes the table of the comparison, and finds the cells in which pet-store is not first. */
import { keyOfCell, NETWORKS, PAGES, RIVALS } from "./cells.mjs";

const BROWSERS = { chromium: "Chromium", firefox: "Firefox" };

/**
 * @typedef {Record<string, import("./compare.mjs").Comparison>} Comparisons  By `keyOfCell`.
 */

/** @param {import("./compare.mjs").Sample[]} samples @returns {number} Infinity if most were never live. */
export function medianMs(samples) {
  const sorted = samples.map(({ liveMs }) => liveMs ?? Infinity).sort((one, other) => one - other);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** @param {import("./compare.mjs").Comparison} comparison */
export function ratio({ samples }) {
  return medianMs(samples["pet-store"]) / medianMs(samples["same-page"]);
}

/** Returns true if pet-store is sooner than Socket.IO on the same page. @param {import("./compare.mjs").Comparison} comparison */
export function isFirst(comparison) {
  return ratio(comparison) < 1;
}

/**
 * @param {Comparisons} results
 * @returns {string} A row for each network and page, and for each browser pet-store, Socket.IO, the ratio, and Socket.IO on
 *   its bare page.
 */
export function tableOfComparisons(results) {
  const names = Object.values(BROWSERS);
  const heads = names.flatMap((name) => [`${name}: pet-store`, "Socket.IO, same page", "ratio", "bare page"]);
  const rows = NETWORKS.flatMap(({ id, what }) =>
    Object.keys(PAGES).map((page) => [
      `${what}, ${page}`,
      ...Object.keys(BROWSERS).flatMap((browser) => cells(results[keyOfCell(id, page, browser)])),
    ]),
  );
  const table = [["network and page", ...heads], ["---", ...heads.map(() => "---:")], ...rows];
  return [...table.map((row) => `| ${row.join(" | ")} |`), "", summary(results)].join("\n");
}

/** @param {Comparisons} results @returns {string} */
export function summary(results) {
  const all = Object.values(results);
  return `pet-store is sooner than Socket.IO on the same page in ${all.filter(isFirst).length} of ${all.length} cells.`;
}

/** @param {import("./compare.mjs").Comparison | undefined} comparison */
function cells(comparison) {
  if (!comparison) return ["", "", "", ""];
  const [mine, same, bare] = Object.keys(RIVALS).map((rival) => comparison.samples[rival]);
  const ms = (samples) => (samples ? thousands(medianMs(samples)) : "");
  const share = ratio(comparison).toFixed(2);
  return [ms(mine), ms(same), isFirst(comparison) ? share : `**${share}**`, ms(bare)];
}

function thousands(ms) {
  return Number.isFinite(ms) ? Math.round(ms).toLocaleString("en") : "never";
}
