// @ts-check
/** The network doctor's report: plain text to send to whoever runs the network. */
import { WAY_NAMES } from "./diagnosis-text.js";

/**
 * What is written above the results.
 * @typedef {object} Circumstances
 * @property {string} origin
 * @property {number} at  When the test began, by this machine's clock, since 1970.
 * @property {number | null} aheadMs  By how much the server's clock is ahead of it, where that is known.
 * @property {string} browser  Its own name for itself.
 * @property {string} protocol  Over which the page was loaded, e.g. "h2"; "" where the browser does not say.
 * @property {string} chaos  The bad network that was asked for; "" for none.
 * @property {string} note  How far the test has come.
 */

/**
 * @param {import("./results.js").Examination} examination
 * @param {Circumstances} circumstances
 */
export function reportText({ rows, summary, asks }, circumstances) {
  const { origin, at, aheadMs, browser, protocol, chaos, note } = circumstances;
  const head = [
    `Network doctor: ${origin}`,
    `Time: ${new Date(at).toISOString()}${aheadMs === null ? "" : `, the server's clock is ${aheadText(aheadMs)}`}`,
    `Browser: ${browser}`,
  ];
  if (protocol) head.push(`Page loaded over: ${protocol}`);
  if (chaos) head.push(`Pretended network of the demo: ${chaos}`);
  const ways = rows.map(({ way, result, measured, quiet }) =>
    [`${WAY_NAMES[way]}: ${result}`, measured, quiet && `Left alone: ${quiet}`].filter(Boolean).join("\n  "),
  );
  const parts = [head.join("\n"), ways.join("\n"), summary || note];
  if (asks.length > 0) parts.push(["What to ask for:", ...asks.map((ask) => `- ${ask}`)].join("\n"));
  return `${parts.join("\n\n")}\n`;
}

/** @param {number} aheadMs */
function aheadText(aheadMs) {
  const seconds = Math.round(Math.abs(aheadMs) / 100) / 10;
  if (seconds < 1) return "the same";
  return `${seconds} s ${aheadMs > 0 ? "ahead of" : "behind"} this one`;
}
