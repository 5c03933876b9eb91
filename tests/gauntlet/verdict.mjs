/** Whether what was measured is good enough: the bounds that the gauntlet is about. */

/** A visitor's word for each transport. */
export const NAMES = { ws: "WebSocket", sse: "SSE", poll: "long poll", short: "short poll", none: "not live" };

/**
 * @param {{ transports: string[], withinMs: number }} asked  Of a box, or of a network that was broken.
 * @param {import("./measure.mjs").Visit | import("./broken/case.mjs").Outcome} measured
 * @returns {string[]} What was not as it should be; nothing when all was.
 */
export function shortcomings({ transports, withinMs }, { transport, liveMs, missed, repeated, wrong }) {
  const found = [];
  if (!transports.includes(transport)) found.push(`${NAMES[transport]}, and not ${transports.map((name) => NAMES[name]).join(" or ")}`);
  if (liveMs === null) found.push("never live");
  else if (liveMs > withinMs) found.push(`live after ${Math.round(liveMs)} ms, and not within ${withinMs}`);
  if (missed.length > 0) found.push(`${missed.length} missed: ${some(missed)}`);
  if (repeated.length > 0) found.push(`${repeated.length} repeated: ${some(repeated)}`);
  if (wrong.length > 0) found.push(`wrong in the end: ${some(wrong)}`);
  return found;
}

/**
 * Bounds as a test has to have them, on a machine that may be busy with something else. WebSocket has only a short head
 * start in its race with SSE, so where it works the other may win by chance; the page is as live, and climbs later.
 */
export function allowed({ transports, withinMs }, { slowness }) {
  const either = transports.includes("ws") ? [...new Set([...transports, "sse"])] : transports;
  return { transports: either, withinMs: withinMs * slowness };
}

function some(list) {
  return list.length > 10 ? `${list.slice(0, 10).join(", ")}, …` : list.join(", ");
}
