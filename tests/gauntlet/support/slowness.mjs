/**
 * How busy this machine is with other work, as the factor by which everything takes longer: 1 if a core is idle. Time
 * limits are for such a machine.
 */

const SAMPLE_MS = 50;

/** Works for a moment, and compares elapsed time with CPU time. */
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
