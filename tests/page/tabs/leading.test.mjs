/** Which tab leads, and what happens when the leader goes away or falls silent. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { last } from "../support/fakes.mjs";
import { HEARTBEAT_MS } from "./server.mjs";
import { assertAllFollow, connections, MOMENT_MS, openTabs } from "./tabs.mjs";

/** Time until a leader that disappeared is replaced, and its successor connected. */
const TAKEOVER_MS = 1.5 * HEARTBEAT_MS;

for (const end of /** @type {const} */ (["close", "crash", "leave"])) {
  test(`after the leader's ${end} the next tab leads immediately, and nothing is missed`, async () => {
    const { world, leader } = await openTabs(4);
    leader[end]();
    world.server.change();
    await world.turn(MOMENT_MS);
    for (const tab of world.awake) assert.ok(tab.isCurrent);
    assert.equal(world.server.viewers, 1);
    for (const tab of world.awake) assert.ok(!tab.states.includes("down"), "the connection goes on");
    await assertAllFollow(world);
  });
}

test("a tab that the leader could not relay a change to asks the server for it under the next leader", async () => {
  const { world, leader, followers } = await openTabs(3);
  const other = last(followers.filter((tab) => tab !== world.locks.heir));
  world.loses = ({ kind }, to) => kind === "message" && to === other;
  world.server.change();
  await world.turn(MOMENT_MS);
  assert.equal(other.isCurrent, false);
  world.loses = () => false;
  leader.crash();
  await world.turn(MOMENT_MS);
  assert.ok(other.isCurrent);
  assert.equal(world.server.polls, 1);
});

test("a leader with a freeze event is replaced immediately, and comes back as a follower", async () => {
  const { world, leader } = await openTabs(4);
  leader.freeze({ isTold: true });
  await world.turn(MOMENT_MS);
  await assertAllFollow(world);
  leader.thaw();
  await world.turn(MOMENT_MS);
  assert.ok(leader.isCurrent);
  assert.notDeepEqual(world.leaders, [leader]);
  assert.equal(world.server.viewers, 1);
});

for (const hearsChannel of [false, true]) {
  const how = hearsChannel ? "and still answers" : "without a word";
  test(`a leader that freezes ${how} is replaced within one and a half heartbeats, by one tab only`, async () => {
    const { world, leader, followers } = await openTabs(7, { isHidden: true });
    leader.freeze({ hearsChannel });
    world.server.change();
    await world.turn(TAKEOVER_MS);
    for (const tab of followers) assert.ok(tab.isCurrent);
    assert.equal(connections(world), 2);
    await world.turn(5 * HEARTBEAT_MS);
    assert.equal(connections(world), 2);
  });
}

test("the heartbeat of the server sets the time for a takeover", async () => {
  const { world, leader, followers } = await openTabs(3, { heartbeatMs: 4000 });
  leader.freeze();
  world.server.change();
  await world.turn(8000);
  for (const tab of followers) assert.ok(tab.isCurrent);
});

test("a tab that becomes visible after a long silence replaces a hidden leader", async () => {
  const { world, leader, followers } = await openTabs(2, { isHidden: true });
  leader.freeze({ hearsChannel: true });
  followers[0].freeze();
  await world.turn(20 * HEARTBEAT_MS);
  world.server.change();
  followers[0].isHidden = false;
  followers[0].thaw();
  followers[0].connection.wake();
  await world.turn(2000);
  assert.ok(followers[0].isCurrent);
});

test("a leader that was replaced while it slept closes its connection and follows", async () => {
  const { world, leader } = await openTabs(4);
  leader.freeze();
  await world.turn(TAKEOVER_MS);
  world.server.change();
  await world.turn(MOMENT_MS);
  const [successor] = world.leaders;
  leader.thaw();
  await world.turn(MOMENT_MS);
  assert.ok(leader.isCurrent);
  assert.deepEqual(world.leaders, [successor]);
  assert.equal(world.server.viewers, 1);
  assert.ok(!leader.states.includes("down"), "the connection went on");
  await assertAllFollow(world);
});

test("messages of a former leader are ignored", async () => {
  const { world, followers } = await openTabs(2);
  const [tab] = followers;
  const [channel] = [...world.channels].filter((channel) => channel.tab === tab);
  const [heard, states] = [tab.received.length, tab.states.length];
  const { cursor } = tab.board;
  const message = { type: "snapshot", cursor: "00000009-1", pets: [] };
  channel.onmessage?.({ data: { kind: "message", leader: "former", pets: [], after: cursor, message } });
  channel.onmessage?.({ data: { kind: "state", leader: "former", state: { phase: "down" } } });
  assert.deepEqual([tab.received.length, tab.states.length], [heard, states]);
});

test("a page that opens beside a frozen leader is live within two seconds", async () => {
  const { world, leader } = await openTabs(1);
  leader.freeze();
  const tab = world.openTab().start();
  world.server.change();
  await world.turn(2000);
  assert.ok(tab.isCurrent);
  assert.equal(last(tab.states), "up");
});

test("a tab that becomes visible does not wait for the silence of a frozen leader", async () => {
  const { world, leader, followers } = await openTabs(2);
  leader.freeze();
  world.server.change();
  followers[0].connection.wake();
  await world.turn(2000);
  assert.ok(followers[0].isCurrent);
});

test("a frozen tab at the head of the queue blocks nobody", async () => {
  const { world, tabs, leader } = await openTabs(4);
  const [heir] = tabs.filter((tab) => tab !== leader);
  heir.freeze();
  leader.crash();
  world.server.change();
  await world.turn(TAKEOVER_MS);
  for (const tab of world.awake) assert.ok(tab.isCurrent);
  assert.equal(world.awake.length, 2);
});

test("a leader that has lost the server, but replies, keeps the lead", async () => {
  const { world, leader } = await openTabs(4);
  world.server.stop();
  await world.turn(5 * HEARTBEAT_MS);
  assert.deepEqual(world.leaders, [leader]);
  assert.equal(connections(world), 1);
  world.server.start();
  await world.turn(2000);
  await assertAllFollow(world);
});

test("a tab that becomes visible keeps a leader that delivers", async () => {
  const { world, leader, followers } = await openTabs(2, { isHidden: true });
  await world.turn(5 * HEARTBEAT_MS);
  followers[0].isHidden = false;
  followers[0].connection.wake();
  await world.turn(5000);
  assert.deepEqual(world.leaders, [leader]);
  assert.equal(connections(world), 1);
});

test("a hidden leader stays as long as it delivers, and otherwise yields to a visible tab", async () => {
  const { world, leader, followers } = await openTabs(3);
  leader.isHidden = followers[0].isHidden = true;
  await world.turn(5 * HEARTBEAT_MS);
  assert.deepEqual(world.leaders, [leader]);
  world.server.stop();
  await world.turn(TAKEOVER_MS);
  assert.deepEqual(world.leaders, [followers[1]]);
});

test("a leader that delivers before the time limit ends keeps the lead", async () => {
  const { world, leader, followers } = await openTabs(2);
  leader.isHidden = true;
  world.loses = ({ kind }) => kind === "message";
  world.server.change();
  await world.turn(MOMENT_MS);
  world.server.stop();
  let hasAnswered = false;
  world.loses = ({ kind }) => ((hasAnswered ||= kind === "welcome"), false);
  while (!hasAnswered) await world.turn(1);
  world.server.start();
  leader.connections[0].start();
  await world.turn(MOMENT_MS);
  assert.ok(followers[0].isCurrent);
  assert.deepEqual(world.leaders, [leader]);
});

test("a leader that asks for a rarer heartbeat keeps the lead", async () => {
  const { world, leader } = await openTabs(2, { heartbeatMs: 5_000 });
  world.server.changeHeartbeat(HEARTBEAT_MS);
  const late = world.openTab().start();
  await world.turn(5 * HEARTBEAT_MS);
  assert.deepEqual(world.leaders, [leader]);
  assert.equal(connections(world), 1);
  assert.equal(last(late.states), "up");
});

test("a heartbeat may be late by the round trip of a slow network", async () => {
  const { world, leader } = await openTabs(2, { heartbeatMs: 5_000 });
  for (const slownessMs of [2_500, 0, 2_500]) {
    world.server.slownessMs = slownessMs;
    await world.turn(10_000);
  }
  assert.deepEqual(world.leaders, [leader]);
  assert.equal(connections(world), 1);
});

test("the connection knows whether all tabs are hidden", async () => {
  const { world, leader, followers } = await openTabs(2, { isHidden: true });
  const [connection] = leader.connections;
  assert.equal(connection.isHidden(), true);
  followers[0].isHidden = false;
  followers[0].connection.wake();
  await world.turn(MOMENT_MS);
  assert.equal(connection.isHidden(), false);
  followers[0].isHidden = true;
  await world.turn(HEARTBEAT_MS);
  assert.equal(connection.isHidden(), true, "it learns that with the next message");
});

test("hidden tabs do not take the lead from each other", async () => {
  const { world, leader } = await openTabs(3, { isHidden: true });
  world.server.stop();
  await world.turn(5 * HEARTBEAT_MS);
  assert.deepEqual(world.leaders, [leader]);
});

test("events of any tab reach the connection of the leader", async () => {
  const { world, leader, followers } = await openTabs(2);
  for (const tab of [leader, followers[0]]) {
    tab.connection.offline();
    tab.connection.online();
    tab.connection.wake();
  }
  await world.turn(MOMENT_MS);
  assert.deepEqual(leader.connections[0].events.toSorted(), ["offline", "offline", "online", "online", "wake", "wake"]);
});
