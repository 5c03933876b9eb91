/** The connection of the tabs watches the pets of all tabs, and no others. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { last } from "../support/fakes.mjs";
import { HEARTBEAT_MS } from "./server.mjs";
import { assertAllFollow, connections, MOMENT_MS, openTabs, types } from "./tabs.mjs";
/** @import { World, WorldTab } from "./world.mjs" */

/** Time from the departure of a tab to a narrower connection, which is up. */
const NARROWED_MS = 31_000;

/** @param {World} world */
function countRelays(world) {
  let relays = 0;
  world.loses = ({ kind }) => ((relays += kind === "message" ? 1 : 0), false);
  return () => relays;
}

test("tabs that all watch one pet have a connection for this pet, and receive nothing of the others", async () => {
  const { world, tabs } = await openTabs(3, { pets: ["2"] });
  assert.deepEqual(world.server.filters, [["2"]]);
  const relays = countRelays(world);
  for (const pet of ["1", "2", "3", "1", "3"]) world.server.change(pet);
  await world.turn(MOMENT_MS);
  for (const tab of tabs) assert.deepEqual(types(tab), ["hello", "status"]);
  assert.equal(relays(), 2, "one message for each of the two followers");
});

test("a connection for some pets and one for every pet cover each other only where they should", async () => {
  const { world } = await openTabs(1, { pets: ["2"] });
  world.openTab({ pets: ["2"] }).start();
  world.openTab({ pets: ["3"] }).start();
  await world.turn(2 * MOMENT_MS);
  assert.deepEqual(world.server.filters, [["2", "3"]]);
  world.openTab().start();
  await world.turn(2 * MOMENT_MS);
  assert.deepEqual(world.server.filters, [[]]);
  await assertAllFollow(world);
});

test("no tab misses or repeats a change while the connection becomes wider", async () => {
  const { world, leader } = await openTabs(2, { pets: ["2"] });
  const index = world.openTab().start();
  for (let i = 0; i < 100; i += 1) {
    world.server.change();
    await world.turn(5);
  }
  await world.turn(MOMENT_MS);
  assert.deepEqual(world.server.filters, [[]]);
  assert.deepEqual(world.leaders, [leader]);
  assert.equal(connections(world), 2);
  for (const tab of world.tabs) assert.ok(tab.isCurrent);
  assert.ok(!leader.states.includes("down"), "the connection goes on");
  assert.equal(types(index).filter((type) => type === "status").length, 100);
});

test("a tab whose pets the connection does not cover is not live, and does not take its cursors for its own", async () => {
  const { world, leader } = await openTabs(1, { pets: ["2"] });
  // No further connection opens, and the old one goes on.
  world.server.answersPolls = false;
  world.server.open = () => {};
  const tab = world.openTab({ pets: ["3"] }).start();
  await world.turn(MOMENT_MS);
  const { cursor } = tab.board;
  world.server.change("3");
  world.server.change("2");
  await world.turn(MOMENT_MS);
  assert.ok(leader.isCurrent);
  assert.equal(tab.board.cursor, cursor);
  assert.equal(last(tab.states), "connecting");
});

test("several tabs with other pets that join at the same moment cost two connections, not one each", async () => {
  const { world } = await openTabs(1, { pets: ["1"] });
  for (const pet of ["2", "3", "2", "3"]) world.openTab({ pets: [pet] }).start();
  await world.turn(2 * MOMENT_MS);
  assert.deepEqual(world.server.filters, [["1", "2", "3"]]);
  assert.ok(connections(world) <= 3);
  await assertAllFollow(world);
});

for (const end of /** @type {const} */ (["close", "leave"])) {
  test(`after a follower's ${end} the connection becomes narrower, but not immediately`, async () => {
    const { world, leader } = await openTabs(1, { pets: ["2"] });
    const index = world.openTab().start();
    await world.turn(2 * MOMENT_MS);
    index[end]();
    await world.turn(MOMENT_MS);
    assert.deepEqual(world.server.filters, [[]]);
    await world.turn(NARROWED_MS);
    assert.deepEqual(world.server.filters, [["2"]]);
    assert.ok(!leader.states.includes("down"));
    world.server.change("2");
    await assertAllFollow(world);
  });
}

test("a tab that crashed is noticed when the connection is lost", async () => {
  const { world } = await openTabs(1, { pets: ["2"] });
  const others = [world.openTab().start(), world.openTab({ pets: ["3"] }).start()];
  await world.turn(2 * MOMENT_MS);
  others[0].crash();
  await world.turn(NARROWED_MS);
  assert.deepEqual(world.server.filters, [[]]);
  world.server.stop();
  await world.turn(10);
  world.server.start();
  await world.turn(NARROWED_MS + 2 * MOMENT_MS);
  assert.deepEqual(world.server.filters, [["2", "3"]]);
  await assertAllFollow(world);
});

test("a tab that joins while the connection changes for another one is covered next", async () => {
  const { world, leader } = await openTabs(1, { pets: ["1"] });
  const gone = world.openTab({ pets: ["2"] }).start();
  while (leader.connections.length < 2) await world.turn(1);
  gone.close();
  const tab = world.openTab({ pets: ["3"] }).start();
  await world.turn(MOMENT_MS);
  assert.equal(last(tab.states), "up");
  assert.deepEqual(world.leaders, [leader]);
});

test("a change that only the wider connection has received, before its hello, is not lost", async () => {
  const { world, leader } = await openTabs(1, { pets: ["1"] });
  // The old connection delivers nothing more. Of the new one, a request is answered before its stream opens.
  leader.connections[0].end();
  world.server.slownessMs = 200;
  world.openTab({ pets: ["2"] }).start();
  world.server.change("1");
  await world.turn(2 * MOMENT_MS);
  assert.ok(leader.isCurrent);
});

test("a connection that is not up yet is stopped with its leader, also if it was to become narrower meanwhile", async () => {
  const { world, leader } = await openTabs(1, { pets: ["1"] });
  const other = world.openTab({ pets: ["2"] }).start();
  await world.turn(2 * MOMENT_MS);
  other.close();
  await world.turn(NARROWED_MS - 4 * MOMENT_MS);
  world.server.slownessMs = 10_000;
  world.openTab({ pets: ["3"] }).start();
  await world.turn(3 * MOMENT_MS);
  leader.leave();
  assert.deepEqual(leader.connections.map(({ isStarted }) => isStarted), [false, false, false]);
});

test("after a restart of the server the connection covers every tab at all times", async () => {
  const { world } = await openTabs(1, { pets: ["1"] });
  world.openTab({ pets: ["2"] }).start();
  await world.turn(2 * MOMENT_MS);
  const before = connections(world);
  world.server.stop();
  await world.turn(10);
  world.server.start();
  await world.turn(2 * NARROWED_MS);
  assert.equal(connections(world), before);
  await assertAllFollow(world);
});

test("the next leader starts with the pets of all tabs that it knows, over one connection", async () => {
  const { world, leader } = await openTabs(1, { pets: ["1"] });
  for (const pet of ["2", "3"]) world.openTab({ pets: [pet] }).start();
  await world.turn(3 * MOMENT_MS);
  const before = connections(world) - leader.connections.length;
  leader.crash();
  await world.turn(MOMENT_MS);
  assert.equal(connections(world), before + 1);
  assert.deepEqual(world.server.filters, [["1", "2", "3"]]);
  await assertAllFollow(world);
  await world.turn(NARROWED_MS);
  assert.deepEqual(world.server.filters, [["2", "3"]]);
});

test("a leader that replies but cannot become wider is replaced", async () => {
  const { world, leader } = await openTabs(1, { pets: ["1"] });
  leader.freeze({ hearsChannel: true });
  const tab = world.openTab({ pets: ["2"] }).start();
  world.server.change("2");
  await world.turn(8_000);
  assert.ok(tab.isCurrent);
  assert.equal(last(tab.states), "up");
  leader.thaw();
  await world.turn(2 * MOMENT_MS);
  await assertAllFollow(world);
});

/** @type {[string, (tabs: WorldTab[], leader: WorldTab) => WorldTab | undefined][]} */
const ROLES = [
  ["leader", (_tabs, leader) => leader],
  ["follower", (tabs, leader) => tabs.find((tab) => tab !== leader)],
];

for (const [role, choose] of ROLES) {
  test(`a ${role} may change its pets, and shows them immediately`, async () => {
    const { world, tabs, leader } = await openTabs(2, { pets: ["1"] });
    const tab = choose(tabs, leader);
    tab?.setPets(["1", "2"]);
    world.server.change("2");
    await world.turn(MOMENT_MS);
    assert.deepEqual(Object.keys(tab?.shown ?? {}), ["1", "2"]);
    assert.deepEqual(world.server.filters, [["1", "2"]]);
    assert.deepEqual(world.leaders, [leader]);
    await assertAllFollow(world);
    tab?.setPets(["2"]);
    await world.turn(MOMENT_MS);
    world.server.change("1");
    await assertAllFollow(world);
    assert.deepEqual(Object.keys(tab?.shown ?? {}), ["2"]);
  });
}

test("a leader whose page gets its new pets neither from its connection nor from a request starts again", async () => {
  const { world, leader } = await openTabs(2);
  world.server.answersPolls = false;
  leader.setPets(["2"]);
  await world.turn(MOMENT_MS);
  assert.ok(leader.isCurrent);
  assert.equal(world.server.viewers, 1);
  await assertAllFollow(world);
});

test("a page without a reachable leader is current after one request", async () => {
  const { world, leader } = await openTabs(1, { hasLocks: false });
  leader.freeze();
  const tab = world.openTab();
  world.server.change();
  tab.start();
  await world.turn(100);
  assert.ok(tab.isCurrent);
  await world.turn(HEARTBEAT_MS);
  assert.equal(last(tab.states), "up");
});
