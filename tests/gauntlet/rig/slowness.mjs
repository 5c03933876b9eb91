/**
 * How busy this machine is with something else, as the factor by which everything takes longer: 1 when there is a core
 * to spare. Bounds on times are for a machine that has one.
 */

const SAMPLE_MS = 50;

/** Works for a moment, and compares the time it took with the time it was given. */
export function slowness() {
  const startedMs = performance.now();
  const before = process.cpuUsage();
  let workedMs = 0;
  while (workedMs < SAMPLE_MS) {
    const { user, system } = process.cpuUsage(before);
    workedMs = (user + system) / 1000;
  }
  return Math.max(1, (performance.now() - startedMs) / workedMs);
}
