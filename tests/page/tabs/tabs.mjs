/** Helpers for the tests of tabs that share a connection. */
import assert from "node:assert/strict";
import { HEARTBEAT_MS } from "./server.mjs";
import { World } from "./world.mjs";
/** @import { TabOptions, WorldTab } from "./world.mjs" */

/** More than anything takes that does not wait for silence. */
export const MOMENT_MS = 500;

/**
 * Opens connected tabs of one page.
 * @param {number} count
 * @param {TabOptions & { heartbeatMs?: number, hasLocks?: boolean }} [options]
 */
export async function openTabs(count, { heartbeatMs = HEARTBEAT_MS, hasLocks = true, ...options } = {}) {
  const world = new World({ hasLocks });
  world.server.heartbeatMs = heartbeatMs;
  const tabs = Array.from({ length: count }, () => world.openTab(options).start());
  await world.turn(MOMENT_MS);
  assert.equal(world.leaders.length, Math.min(count, 1));
  // Every page asks the server once when it starts.
  assert.equal(world.server.polls, count);
  world.server.polls = 0;
  const [leader] = world.leaders;
  return { world, tabs, leader, followers: tabs.filter((tab) => tab !== leader) };
}

/** Returns the types of the messages that a tab received. @param {WorldTab} tab */
export const types = (tab) => tab.received.map(({ type }) => type);

/** Returns how many connections the open tabs have started. @param {World} world */
export const connections = (world) => world.tabs.flatMap((tab) => tab.connections).length;

/** Checks that one more change reaches every tab, over one connection. @param {World} world */
export async function assertAllFollow(world) {
  world.server.change();
  await world.turn(MOMENT_MS);
  for (const tab of world.awake) assert.ok(tab.isCurrent);
  assert.equal(world.leaders.length, 1);
}
