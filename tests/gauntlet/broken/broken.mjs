/** Runs the cases of broken networks, each as a program in its own network namespace. */
import { fileURLToPath } from "node:url";
import { FAULTS } from "./faults.mjs";
import { Program } from "../support/program.mjs";

const CASE = fileURLToPath(new URL("case.mjs", import.meta.url));

/** Time limit from the end of a fault until the page is live again and has everything that it missed. */
const WITHIN_MS = 10_000;

/** Time limit for a case. */
const CASE_LIMIT_MS = 240_000;

/** Any transport is accepted: the page upgrades later. */
const TRANSPORTS = ["ws", "sse", "poll", "short"];

/** Without root, a user namespace allows it. */
const UNSHARE = ["--net", ...(process.getuid?.() === 0 ? [] : ["--map-root-user"])];

/**
 * @typedef {{ id: string, what: string, transports: string[], withinMs: number }} Break  A fault, and its bounds.
 */

/** @type {Break[]} */
export const BREAKS = Object.entries(FAULTS).map(([id, { what, withinMs = WITHIN_MS }]) => ({
  ...{ id, what, withinMs },
  transports: TRANSPORTS,
}));

/** Returns true if this machine allows network namespaces. */
export async function mayBreak() {
  const program = new Program("unshare", [...UNSHARE, "echo", "yes"]);
  return program.says(/^yes$/).then(
    () => true,
    () => false,
  );
}

/**
 * @param {string} fault
 * @param {import("../support/browser.mjs").BrowserName} browser
 * @returns {Promise<import("./case.mjs").Outcome>}
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
