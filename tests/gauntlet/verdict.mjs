/** Whether a visit was good enough: the bounds that the gauntlet is about. */

/** A visitor's word for each transport. */
export const NAMES = { ws: "WebSocket", sse: "SSE", poll: "long poll", short: "short poll", none: "not live" };

/**
 * @param {Pick<import("./boxes.mjs").Box, "rungs" | "withinMs">} asked
 * @param {import("./measure.mjs").Visit} visit
 * @returns {string[]} What was not as it should be; nothing when all was.
 */
export function shortcomings({ rungs, withinMs }, { transport, firstMs, missed, repeated, wrong }) {
  const found = [];
  if (!rungs.includes(transport)) found.push(`${NAMES[transport]}, and not ${rungs.map((rung) => NAMES[rung]).join(" or ")}`);
  if (firstMs === null) found.push("no live change at all");
  else if (firstMs > withinMs) found.push(`first live change after ${Math.round(firstMs)} ms, and not within ${withinMs}`);
  if (missed.length > 0) found.push(`${missed.length} missed: ${some(missed)}`);
  if (repeated.length > 0) found.push(`${repeated.length} repeated: ${some(repeated)}`);
  if (wrong.length > 0) found.push(`wrong in the end: ${some(wrong)}`);
  return found;
}

function some(list) {
  return list.length > 10 ? `${list.slice(0, 10).join(", ")}, …` : list.join(", ");
}
