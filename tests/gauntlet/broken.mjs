/** Broken networks, from outside: each case in a network of its own, as a program of its own. */
import { fileURLToPath } from "node:url";
import { FAULTS } from "./broken/faults.mjs";
import { Program } from "./rig/program.mjs";

const CASE = fileURLToPath(new URL("broken/case.mjs", import.meta.url));

/** How soon after a fault is over a page has to be live again, with all that happened meanwhile. */
const WITHIN_MS = 10_000;

/** The longest that a case takes, with all its waiting. */
const CASE_LIMIT_MS = 240_000;

/** Any transport will do: what works is found again later. */
const TRANSPORTS = ["ws", "sse", "poll", "short"];

/** Who is not root may make networks too, as root of a namespace of users. */
const UNSHARE = ["--net", ...(process.getuid?.() === 0 ? [] : ["--map-root-user"])];

/**
 * @typedef {{ id: string, what: string, transports: string[], withinMs: number }} Break  A fault, and what it is held to.
 */

/** @type {Break[]} */
export const BREAKS = Object.entries(FAULTS).map(([id, { what, withinMs = WITHIN_MS }]) => ({
  ...{ id, what, withinMs },
  transports: TRANSPORTS,
}));

/** Whether this machine lets us make networks to break. */
export async function mayBreak() {
  const program = new Program("unshare", [...UNSHARE, "echo", "yes"]);
  return program.says(/^yes$/).then(
    () => true,
    () => false,
  );
}

/**
 * @param {string} fault
 * @param {import("./rig/browser.mjs").BrowserName} browser
 * @returns {Promise<import("./broken/case.mjs").Outcome>}
 */
export async function suffer(fault, browser) {
  const program = new Program("unshare", [...UNSHARE, process.execPath, CASE, fault, browser]);
  try {
    const [line] = await program.says(/^\{.*\}$/, CASE_LIMIT_MS);
    return JSON.parse(line);
  } finally {
    await program.ends();
  }
}
