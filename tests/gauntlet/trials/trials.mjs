/** Damaged networks that need no network namespace, only a box. */
import { FRAMES } from "./frames.mjs";
import { LATE } from "./late.mjs";
import { LOADING } from "./loading.mjs";
import { shortcomings } from "../results/verdict.mjs";

/** @type {import("./outcome.mjs").Trial[]} */
export const TRIALS = [...FRAMES, ...LOADING, ...LATE];

/** @param {import("./outcome.mjs").Trial} trial @returns {string[]} What is out of bounds. */
export function shortcomingsOf(trial, outcome) {
  return [...shortcomings(trial, outcome), ...(trial.also?.(outcome) ?? [])];
}
