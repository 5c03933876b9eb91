// @ts-check
/** The network doctor's report: plain text to send to the operator of a network. */
import { PROBE_NAMES } from "./diagnosis-text.js";
/** @import { Results } from "./results.js" */

/**
 * The conditions of the test.
 * @typedef {object} Conditions
 * @property {string} url
 * @property {number} at  When the test began, by this machine's clock, since 1970.
 * @property {number | null} aheadMs  By how much the server's clock is ahead of it, if known.
 * @property {string} browser  The user agent.
 * @property {string} protocol  The protocol that the page was loaded over, e.g. "h2"; "" if the browser does not say.
 * @property {string} chaos  The simulated network; "" for none.
 * @property {string} note  How far the test has come.
 */

/** @param {Results} results @param {Conditions} conditions */
export function reportText({ rows, summary, advice }, conditions) {
  const { url, at, aheadMs, browser, protocol, chaos, note } = conditions;
  const head = [
    `Network doctor: ${url}`,
    `Time: ${new Date(at).toISOString()}${aheadMs === null ? "" : `, the server's clock is ${aheadText(aheadMs)}`}`,
    `Browser: ${browser}`,
  ];
  if (protocol) head.push(`Page loaded over: ${protocol}`);
  if (chaos) head.push(`Simulated network of the demo: ${chaos}`);
  const lines = rows.map(({ probe, result, measured, idle }) =>
    [`${PROBE_NAMES[probe]}: ${result}`, measured, idle && `Idle: ${idle}`].filter(Boolean).join("\n  "),
  );
  const parts = [head.join("\n"), lines.join("\n"), summary || note];
  if (advice.length > 0) parts.push(["What to ask for:", ...advice.map((text) => `- ${text}`)].join("\n"));
  return `${parts.join("\n\n")}\n`;
}

/** @param {number} aheadMs */
function aheadText(aheadMs) {
  const seconds = Math.round(Math.abs(aheadMs) / 100) / 10;
  if (seconds < 1) return "the same";
  return `${seconds} s ${aheadMs > 0 ? "ahead of" : "behind"} this one`;
}
