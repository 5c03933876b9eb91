/** Tabs that elect their leader among themselves, as over plain http, where browsers have no locks. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { HEARTBEAT_MS } from "./server.mjs";
import { assertAllFollow, connections, MOMENT_MS, openTabs } from "./tabs.mjs";
import { World } from "./world.mjs";
import { Election } from "../../../public/live/tabs/channel-election.js";

/** By when a leader that went away without a word is replaced, and its successor connected. */
const TAKEOVER_MS = 1.5 * HEARTBEAT_MS;

test("tabs that open at the same moment share one connection, and none waits for long", async () => {
  const { world } = await openTabs(8, { hasLocks: false });
  assert.equal(world.server.viewers, 1);
  await assertAllFollow(world);
});

test("a tab that opens later is welcomed by the leader and connects to nothing", async () => {
  const { world } = await openTabs(1, { hasLocks: false });
  const tab = world.openTab().start();
  await world.turn(MOMENT_MS);
  assert.equal(tab.connections.length, 0);
  await assertAllFollow(world);
});

for (const end of ["close", "leave"]) {
  test(`after the leader's ${end} another tab leads within a moment, and nothing is missed meanwhile`, async () => {
    const { world, leader } = await openTabs(4, { hasLocks: false });
    leader[end]();
    world.server.change();
    await world.turn(2 * MOMENT_MS);
    for (const tab of world.awake) assert.ok(tab.isCurrent);
    assert.equal(world.server.viewers, 1);
    await assertAllFollow(world);
  });
}

test("a leader that crashes is missed by its silence, and replaced by one tab only", async () => {
  const { world, leader } = await openTabs(7, { hasLocks: false });
  const before = connections(world) - leader.connections.length;
  leader.crash();
  world.server.change();
  await world.turn(TAKEOVER_MS);
  for (const tab of world.awake) assert.ok(tab.isCurrent);
  assert.equal(connections(world), before + 1);
  await assertAllFollow(world);
});

test("a leader that slept and finds itself replaced gives up its connection", async () => {
  const { world, leader } = await openTabs(3, { hasLocks: false });
  leader.freeze();
  await world.turn(TAKEOVER_MS);
  leader.thaw();
  await world.turn(MOMENT_MS);
  assert.equal(world.server.viewers, 1);
  assert.notDeepEqual(world.leaders, [leader]);
  await assertAllFollow(world);
});

test("of two leaders that did not hear each other, one stays once they do", async () => {
  const world = new World({ hasLocks: false });
  const first = world.openTab().start();
  await world.turn(MOMENT_MS);
  world.loses = () => true;
  const second = world.openTab().start();
  await world.turn(MOMENT_MS);
  assert.equal(world.server.viewers, 2);
  world.loses = ({ kind }) => kind !== "lead";
  second.connection.stop();
  second.connection.start();
  await world.turn(MOMENT_MS);
  world.loses = () => false;
  await world.turn(TAKEOVER_MS);
  assert.equal(world.server.viewers, 1);
  assert.ok(first.isCurrent);
  await assertAllFollow(world);
});

function openElection(id, now = 1000) {
  const posted = [];
  const won = [];
  const tab = { id, clock: { now: () => now }, post: (note) => posted.push(note) };
  return { election: new Election(tab, () => won.push(id)), posted, won };
}

test("of two claims the higher term wins, and under one term the higher id, for both sides alike", () => {
  for (const [mine, theirs, isAhead] of [
    [1000, 999, true],
    [1000, 1001, false],
  ]) {
    const { election } = openElection("b", mine);
    election.seize();
    assert.equal(election.isAhead({ kind: "lead", leader: "c", term: theirs }), isAhead);
  }
  const { election } = openElection("b");
  election.seize();
  assert.equal(election.isAhead({ kind: "lead", leader: "a", term: 1000 }), true);
  assert.equal(election.isAhead({ kind: "lead", leader: "c", term: 1000 }), false);
});

test("a claim is above every one that was heard, also after the clock was set back", () => {
  const { election, won } = openElection("b", 1000);
  election.hear({ kind: "lead", leader: "a", term: 5000 });
  election.seize();
  assert.equal(election.term, 5001);
  assert.deepEqual(won, ["b"]);
});

test("a leader that hears of a higher claim is not ahead of it, although it has taken note of it", () => {
  const { election } = openElection("b", 1000);
  election.seize();
  const rival = { kind: "lead", leader: "a", term: 2000 };
  election.hear(rival);
  assert.equal(election.isAhead(rival), false);
});

test("only a tab that leads resigns", () => {
  const { election, posted } = openElection("b");
  election.queue();
  election.leave();
  assert.deepEqual(posted, []);
  election.seize();
  election.leave();
  election.leave();
  assert.deepEqual(posted, [{ kind: "resign", leader: "b" }]);
});
