/** Damaged networks that need no network namespace, only a box. */
import { FRAMES } from "./trials/frames.mjs";
import { LATE } from "./trials/late.mjs";
import { LOADING } from "./trials/loading.mjs";
import { shortcomings } from "./results/verdict.mjs";

/** @type {import("./trials/outcome.mjs").Trial[]} */
export const TRIALS = [...FRAMES, ...LOADING, ...LATE];

/** @param {import("./trials/outcome.mjs").Trial} trial @returns {string[]} What is out of bounds. */
export function shortcomingsOf(trial, outcome) {
  return [...shortcomings(trial, outcome), ...(trial.also?.(outcome) ?? [])];
}
