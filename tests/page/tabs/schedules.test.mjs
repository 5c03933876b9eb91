/**
 * Tabs that share a connection, under whatever happens to them in whatever order.
 *
 * That every page is shown each change once and in order is checked with every message, by the page itself.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { HEARTBEAT_MS } from "./server.mjs";
import { World } from "./world.mjs";

/** More of them, or one of them alone: `SCHEDULES=2000`, `FIRST=77 SCHEDULES=1`. */
const SCHEDULES = Number(process.env.SCHEDULES ?? 100);
const FIRST = Number(process.env.FIRST ?? 1);
const STEPS = 40;

const pick = (world, list) => list[world.delay(list.length)];

/** What may happen, each with how often. */
const HAPPENINGS = [
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
  [2, (world) => toggleHidden(pick(world, world.awake))],
  [1, (world) => pick(world, world.awake)?.connection.wake()],
  [1, (world) => world.server.stop()],
  [2, (world) => world.server.start()],
  [1, (world) => world.server.restore()],
  [1, (world) => (world.server.answersPolls = !world.server.answersPolls)],
].flatMap(([times, act]) => Array(times).fill(act));

function burst(world, count) {
  for (let i = 0; i < count; i += 1) world.server.change();
}

/** A page is drawn, and its script starts a little later. */
function openLater(world) {
  if (world.tabs.length >= 7) return;
  const pets = world.random() < 0.3 ? [pick(world, ["1", "2", "3"])] : [];
  const tab = world.openTab({ pets, hasCursor: world.random() < 0.9, isHidden: world.random() < 0.5 });
  world.at(world.delay(400), () => tab.run("start", () => tab.start()));
}

function toggleHidden(tab) {
  if (!tab) return;
  tab.isHidden = !tab.isHidden;
  if (!tab.isHidden) tab.connection.wake();
}

async function run(seed, hasLocks) {
  const world = new World({ seed, hasLocks });
  openLater(world);
  for (let step = 0; step < STEPS; step += 1) {
    pick(world, HAPPENINGS)(world);
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
    assert.equal(tab.states.at(-1), "up");
  }
  assert.equal(world.leaders.length, 1);
  assert.equal(world.server.viewers, 1);
}

/** Tabs that are well lose their leader, and perhaps more of them: those that are awake have another one in time. */
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

const frozen = (tab) => tab.freeze();
const asleep = (tab) => tab.freeze({ hearsChannel: true });
const crashed = (tab) => tab.crash();
const closed = (tab) => tab.close();

/**
 * @param {(seed: number, hasLocks: boolean) => Promise<void>} run
 * @param {boolean} hasLocks
 */
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
  const where = hasLocks ? "" : ", also where the browser has no locks";
  test(`whatever happens, every tab ends up current over one connection${where}`, () =>
    underEverySchedule(run, hasLocks));

  test(`a lost leader is replaced, and nothing missed, within one and a half heartbeats${where}`, () =>
    underEverySchedule(loseLeader, hasLocks));
}
