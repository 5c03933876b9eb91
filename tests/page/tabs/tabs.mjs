/** What the tests of tabs that share have in common: tabs that are well, and how to see that they still are. */
import assert from "node:assert/strict";
import { HEARTBEAT_MS } from "./server.mjs";
import { World } from "./world.mjs";

/** Longer than anything takes that has not to wait for silence. */
export const MOMENT_MS = 500;

/** Tabs of one page that are connected, and which of them leads. */
export async function openTabs(count, { heartbeatMs = HEARTBEAT_MS, hasLocks = true, ...options } = {}) {
  const world = new World({ hasLocks });
  world.server.heartbeatMs = heartbeatMs;
  const tabs = Array.from({ length: count }, () => world.openTab(options).start());
  await world.turn(MOMENT_MS);
  assert.equal(world.leaders.length, Math.min(count, 1));
  const [leader] = world.leaders;
  return { world, tabs, leader, followers: tabs.filter((tab) => tab !== leader) };
}

/** What a tab was told, in order. */
export const types = (tab) => tab.heard.map(({ type }) => type);

/** How many connections the tabs that are open have begun. */
export const connections = (world) => world.tabs.flatMap((tab) => tab.connections).length;

/** One change more reaches everybody, over one connection. */
export async function assertAllFollow(world) {
  world.server.change();
  await world.turn(MOMENT_MS);
  for (const tab of world.awake) assert.ok(tab.isCurrent);
  assert.equal(world.leaders.length, 1);
}
