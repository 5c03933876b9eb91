/** Leader election without Web Locks, as over plain http. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ChannelElection } from "../../../public/petstore/tabs/channel-election.js";
import { fake } from "../support/fakes.mjs";
import { HEARTBEAT_MS } from "./server.mjs";
import { assertAllFollow, connections, MOMENT_MS, openTabs } from "./tabs.mjs";
import { World } from "./world.mjs";
/** @import { Lead, TabMessage } from "../../../public/petstore/tabs/tab-message.js" */

/** Time until a leader that disappeared is replaced, and its successor connected. */
const TAKEOVER_MS = 1.5 * HEARTBEAT_MS;

test("tabs that open at the same moment share one connection immediately", async () => {
  const { world } = await openTabs(8, { hasLocks: false });
  assert.equal(world.server.viewers, 1);
  await assertAllFollow(world);
});

test("a tab without a leader connects after 60 ms, and asks the server immediately", async () => {
  const world = new World({ hasLocks: false });
  const tab = world.openTab().start();
  assert.equal(world.server.polls, 1);
  await world.turn(59);
  assert.equal(tab.connections.length, 0);
  await world.turn(1);
  assert.equal(tab.connections.length, 1);
});

test("a tab that opens later follows the leader and opens no connection", async () => {
  const { world } = await openTabs(1, { hasLocks: false });
  const tab = world.openTab().start();
  await world.turn(MOMENT_MS);
  assert.equal(tab.connections.length, 0);
  await assertAllFollow(world);
});

for (const end of /** @type {const} */ (["close", "leave"])) {
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

test("a leader that crashes is detected by its silence, and replaced by one tab", async () => {
  const { world, leader } = await openTabs(7, { hasLocks: false });
  const before = connections(world) - leader.connections.length;
  leader.crash();
  world.server.change();
  await world.turn(TAKEOVER_MS);
  for (const tab of world.awake) assert.ok(tab.isCurrent);
  assert.equal(connections(world), before + 1);
  await assertAllFollow(world);
});

test("a leader that slept and was replaced gives up its connection", async () => {
  const { world, leader } = await openTabs(3, { hasLocks: false });
  leader.freeze();
  await world.turn(TAKEOVER_MS);
  leader.thaw();
  await world.turn(MOMENT_MS);
  assert.equal(world.server.viewers, 1);
  assert.notDeepEqual(world.leaders, [leader]);
  await assertAllFollow(world);
});

test("of two leaders that could not reach each other, one stays once they can", async () => {
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

/** @param {string} id */
function openElection(id, now = 1000) {
  /** @type {TabMessage[]} */
  const posted = [];
  /** @type {string[]} */
  const won = [];
  const post = (/** @type {TabMessage} */ message) => void posted.push(message);
  const election = new ChannelElection({ id, clock: fake({ now: () => now }), post, onwin: () => won.push(id) });
  return { election, posted, won };
}

test("of two claims the higher term wins, and with equal terms the higher id", () => {
  /** @type {[number, number, boolean][]} */
  const cases = [
    [1000, 999, true],
    [1000, 1001, false],
  ];
  for (const [mine, theirs, isAhead] of cases) {
    const { election } = openElection("b", mine);
    election.takeOver();
    assert.equal(election.outranks({ kind: "lead", leader: "c", term: theirs }), isAhead);
  }
  const { election } = openElection("b");
  election.takeOver();
  assert.equal(election.outranks({ kind: "lead", leader: "a", term: 1000 }), true);
  assert.equal(election.outranks({ kind: "lead", leader: "c", term: 1000 }), false);
});

test("a claim has a higher term than every earlier one, even after the clock was set back", () => {
  const { election, won } = openElection("b", 1000);
  election.receive({ kind: "lead", leader: "a", term: 5000 });
  election.takeOver();
  assert.equal(election.term, 5001);
  assert.deepEqual(won, ["b"]);
});

test("a leader does not outrank a higher claim that it has received", () => {
  const { election } = openElection("b", 1000);
  election.takeOver();
  /** @type {Lead} */
  const rival = { kind: "lead", leader: "a", term: 2000 };
  election.receive(rival);
  assert.equal(election.outranks(rival), false);
});

test("only a tab that leads resigns", () => {
  const { election, posted } = openElection("b");
  election.follow();
  election.leave();
  assert.deepEqual(posted, []);
  election.takeOver();
  election.leave();
  election.leave();
  assert.deepEqual(posted, [{ kind: "resign", leader: "b" }]);
});
