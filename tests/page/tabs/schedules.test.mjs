/**
 * Tabs that share a connection, under random events.
 *
 * With every message the page itself checks that it receives each change once and in order.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { last } from "../support/fakes.mjs";
import { union } from "../../../public/petstore/tabs/pet-filter.js";
import { HEARTBEAT_MS, PETS } from "./server.mjs";
import { World } from "./world.mjs";
/** @import { WorldTab } from "./world.mjs" */

/** `SCHEDULES=2000` runs more of them, `FIRST=77 SCHEDULES=1` a single one. */
const SCHEDULES = Number(process.env.SCHEDULES ?? 100);
const FIRST = Number(process.env.FIRST ?? 1);
const STEPS = 40;

/**
 * Returns a random item.
 * @template T
 * @param {World} world
 * @param {T[]} list
 * @returns {T}
 */
const pick = (world, list) => list[world.delay(list.length)];

/** Events, each with its relative frequency. @type {[number, (world: World) => unknown][]} */
const WEIGHTED = [
  [6, (world) => world.server.change()],
  [1, (world) => burst(world, 300)],
  [1, (world) => burst(world, 700)],
  [3, (world) => openLater(world)],
  [2, (world) => pick(world, world.tabs)?.close()],
  [1, (world) => pick(world, world.tabs)?.crash()],
  [1, (world) => pick(world, world.leaders)?.crash()],
  [2, (world) => pick(world, world.awake)?.freeze({ hearsChannel: world.random() < 0.5 })],
  [1, (world) => pick(world, world.leaders)?.freeze({ hearsChannel: world.random() < 0.5 })],
  [1, (world) => pick(world, world.awake)?.freeze({ isTold: true })],
  [3, (world) => pick(world, world.tabs.filter((tab) => tab.isFrozen))?.thaw()],
  [1, (world) => pick(world, world.awake)?.leave()],
  [2, (world) => pick(world, world.tabs.filter((tab) => !tab.isHere))?.comeBack()],
  [2, (world) => pick(world, world.awake)?.setPets(somePets(world))],
  [2, (world) => toggleHidden(pick(world, world.awake))],
  [1, (world) => pick(world, world.awake)?.connection.wake()],
  [1, (world) => world.server.stop()],
  [2, (world) => world.server.start()],
  [1, (world) => world.server.restore()],
  [1, (world) => (world.server.answersPolls = !world.server.answersPolls)],
];

/** @type {((world: World) => unknown)[]} */
const EVENTS = WEIGHTED.flatMap(([times, act]) => Array(times).fill(act));

/** @param {World} world @param {number} count */
function burst(world, count) {
  for (let i = 0; i < count; i += 1) world.server.change();
}

/** Returns one or two pets, or `[]` for every pet. @param {World} world */
function somePets(world) {
  if (world.random() < 0.3) return [];
  return [...new Set([pick(world, PETS), pick(world, PETS)])];
}

/** Opens a page, whose script starts a little later. @param {World} world */
function openLater(world) {
  if (world.tabs.length >= 7) return;
  const pets = somePets(world);
  const tab = world.openTab({ pets, hasCursor: world.random() < 0.9, isHidden: world.random() < 0.5 });
  world.at(world.delay(400), () => tab.run("start", () => void tab.start()));
}

/** @param {WorldTab | undefined} tab */
function toggleHidden(tab) {
  if (!tab) return;
  tab.isHidden = !tab.isHidden;
  if (!tab.isHidden) tab.connection.wake();
}

/** @param {number} seed @param {boolean} hasLocks */
async function run(seed, hasLocks) {
  const world = new World({ seed, hasLocks });
  openLater(world);
  for (let step = 0; step < STEPS; step += 1) {
    pick(world, EVENTS)(world);
    await world.turn(world.delay(world.random() < 0.5 ? 100 : HEARTBEAT_MS));
  }
  // Everything heals.
  for (const tab of world.tabs) {
    if (tab.isFrozen) tab.thaw();
    if (!tab.isHere) tab.comeBack();
  }
  world.server.start();
  openLater(world);
  await world.turn(4 * HEARTBEAT_MS);
  world.server.change();
  await world.turn(1000);
  for (const tab of world.tabs) {
    assert.ok(tab.isCurrent, `shows ${JSON.stringify(tab.shown)} at ${tab.board.cursor}, not ${world.server.cursor}`);
    assert.equal(last(tab.states), "up");
  }
  assert.equal(world.leaders.length, 1);
  assert.equal(world.server.viewers, 1);
  await restart(world);
  assert.deepEqual(world.server.filters, [union(world.tabs.map(({ pets }) => pets)).toSorted()]);
}

/** Restarts the server. The leader then finds out which tabs are left. @param {World} world */
async function restart(world) {
  world.server.stop();
  await world.turn(100);
  world.server.start();
  await world.turn(3 * HEARTBEAT_MS);
}

/**
 * Healthy tabs lose their leader, and perhaps others: those that are awake have another leader in time.
 * @param {number} seed
 * @param {boolean} hasLocks
 */
async function loseLeader(seed, hasLocks) {
  const world = new World({ seed, hasLocks });
  const count = 2 + world.delay(6);
  for (let i = 0; i < count; i += 1) world.openTab({ isHidden: world.random() < 0.5 }).start();
  await world.turn(1000 + world.delay(3 * HEARTBEAT_MS));
  if (world.random() < 0.5) world.server.change();
  await world.turn(world.delay(HEARTBEAT_MS));

  const [leader] = world.leaders;
  const others = world.tabs.filter((tab) => tab !== leader);
  for (const tab of others.slice(1)) if (world.random() < 0.3) pick(world, [frozen, asleep, crashed])(tab);
  pick(world, [frozen, asleep, crashed, closed])(leader);
  await world.turn(world.delay(100));
  world.server.change();
  await world.turn(1.5 * HEARTBEAT_MS);
  for (const tab of world.awake) assert.ok(tab.isCurrent);
  assert.equal(world.leaders.length, 1);
}

const frozen = (/** @type {WorldTab} */ tab) => tab.freeze();
const asleep = (/** @type {WorldTab} */ tab) => tab.freeze({ hearsChannel: true });
const crashed = (/** @type {WorldTab} */ tab) => tab.crash();
const closed = (/** @type {WorldTab} */ tab) => tab.close();

/** @param {(seed: number, hasLocks: boolean) => Promise<void>} run @param {boolean} hasLocks */
async function underEverySchedule(run, hasLocks) {
  for (let seed = FIRST; seed < FIRST + SCHEDULES; seed += 1) {
    try {
      await run(seed, hasLocks);
    } catch (error) {
      throw new Error(`with seed ${seed}`, { cause: error });
    }
  }
}

for (const hasLocks of [true, false]) {
  const where = hasLocks ? "" : ", also without Web Locks";
  test(`whatever happens, every tab is current over one connection in the end${where}`, () =>
    underEverySchedule(run, hasLocks));

  test(`a lost leader is replaced within one and a half heartbeats, and nothing is missed${where}`, () =>
    underEverySchedule(loseLeader, hasLocks));
}
