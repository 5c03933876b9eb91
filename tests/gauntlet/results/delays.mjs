/** How late changes come. */

/**
 * Returns the delay of each change to a live page from commit to page, in ms. A snapshot counts with its newest change.
 * @param {import("../support/recorder.mjs").Recording} recording
 * @param {number} [fromMs]  Only changes committed after this time, in ms since 1970; else after the first one came.
 */
export function delays({ originMs, seen }, fromMs = originMs + (seen[0]?.atMs ?? 0)) {
  const later = seen.filter(({ sinceMs }) => sinceMs !== null && sinceMs > fromMs);
  return later.map(({ atMs, sinceMs }) => originMs + atMs - sinceMs);
}

/** @param {number[]} numbers @param {number} share */
export function percentile(numbers, share) {
  const sorted = numbers.toSorted((one, other) => one - other);
  return sorted[Math.ceil(sorted.length * share) - 1] ?? null;
}
