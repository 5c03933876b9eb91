/** The bounds of the gauntlet. */

/** Names of the transports in the guide. */
export const NAMES = { ws: "WebSocket", sse: "SSE", poll: "long polling", short: "short polling", none: "not live" };

/**
 * @param {{ transports: string[], withinMs: number }} asked  Bounds of a proxy or a fault.
 * @param {import("../measure.mjs").Visit | import("../broken/case.mjs").Outcome} measured
 * @returns {string[]} What is out of bounds.
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
 * Returns bounds for a test on a machine that may be busy. WebSocket has only a short head start, so SSE may win the race;
 * the page is live too, and upgrades later.
 */
export function allowed({ transports, withinMs }, { slowness }) {
  const either = transports.includes("ws") ? [...new Set([...transports, "sse"])] : transports;
  return { transports: either, withinMs: withinMs * slowness };
}

function some(list) {
  return list.length > 10 ? `${list.slice(0, 10).join(", ")}, …` : list.join(", ");
}
