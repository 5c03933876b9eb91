/** Messages of tabs that share a connection, whatever their cursors and pets are. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { last } from "../support/fakes.mjs";
import { HEARTBEAT_MS } from "./server.mjs";
import { assertAllFollow, MOMENT_MS, openTabs, types } from "./tabs.mjs";

/** Changes that are more than the tabs keep. */
const TOO_MANY = 300;

test("seven tabs have one connection, and each receives hello and every change", async () => {
  const { world, tabs } = await openTabs(7);
  world.server.change();
  await world.turn(HEARTBEAT_MS + MOMENT_MS);
  assert.equal(world.server.viewers, 1);
  for (const tab of tabs) {
    assert.equal(last(tab.states), "up");
    assert.deepEqual(types(tab), ["hello", "status", "heartbeat"]);
    assert.ok(tab.isCurrent);
  }
});

test("a tab that joins gets the state immediately, and a hello without its outdated time", async () => {
  const { world } = await openTabs(1);
  await world.turn(10_000);
  const tab = world.openTab().start();
  await world.turn(MOMENT_MS);
  assert.deepEqual(tab.states, ["connecting", "up"]);
  assert.equal(tab.received[0].type, "hello");
  assert.equal(tab.received[0].heartbeat_ms, HEARTBEAT_MS);
  assert.equal(tab.received[0].server_time, undefined);
});

test("a tab that joins while the leader is not connected gets that state", async () => {
  const { world } = await openTabs(1);
  world.server.stop();
  await world.turn(MOMENT_MS);
  const tab = world.openTab().start();
  await world.turn(MOMENT_MS);
  assert.equal(last(tab.states), "down");
  assert.deepEqual(types(tab), []);
});

test("a page that was rendered before it joined gets the missing changes from the leader", async () => {
  const { world } = await openTabs(1);
  const tab = world.openTab();
  world.server.answersPolls = false;
  for (let i = 0; i < 3; i += 1) world.server.change();
  await world.turn(MOMENT_MS);
  tab.start();
  await world.turn(MOMENT_MS);
  assert.deepEqual(types(tab), ["hello", "status", "status", "status"]);
  assert.ok(tab.isCurrent);
});

test("a page that was rendered before it joined gets the missing changes from the server, before a silent leader replies", async () => {
  const { world, leader } = await openTabs(1);
  const tab = world.openTab();
  leader.freeze();
  for (let i = 0; i < 3; i += 1) world.server.change();
  tab.start();
  await world.turn(100);
  assert.deepEqual(types(tab), ["status", "status", "status"]);
  assert.ok(tab.isCurrent);
});

test("a page that is too far behind for the leader asks the server, once each time", async () => {
  const { world, leader } = await openTabs(2);
  const tab = world.openTab();
  for (let i = 0; i < TOO_MANY; i += 1) world.server.change();
  await world.turn(MOMENT_MS);
  tab.start();
  await world.turn(MOMENT_MS);
  assert.ok(tab.isCurrent);
  assert.equal(world.server.polls, 1);
  world.loses = ({ kind }, to) => kind === "message" && to === tab;
  for (let i = 0; i < TOO_MANY; i += 1) world.server.change();
  await world.turn(MOMENT_MS);
  world.loses = () => false;
  await assertAllFollow(world);
  assert.equal(world.server.polls, 2);
  assert.deepEqual(world.leaders, [leader]);
});

test("a page that is far behind asks no more than that, even in a busy store", async () => {
  const { world, leader } = await openTabs(2);
  const tab = world.openTab();
  for (let i = 0; i < TOO_MANY; i += 1) world.server.change();
  await world.turn(MOMENT_MS);
  tab.start();
  for (let i = 0; i < 100; i += 1) {
    world.server.change();
    await world.turn(5);
  }
  await world.turn(MOMENT_MS);
  assert.ok(tab.isCurrent);
  assert.equal(world.server.polls, 1);
  assert.deepEqual(world.leaders, [leader]);
});

test("if the server does not answer either, the page that is furthest behind takes the lead", async () => {
  const { world } = await openTabs(2);
  const tab = world.openTab();
  world.server.answersPolls = false;
  for (let i = 0; i < TOO_MANY; i += 1) world.server.change();
  await world.turn(MOMENT_MS);
  tab.start();
  await world.turn(MOMENT_MS);
  assert.ok(tab.isCurrent);
  assert.deepEqual(world.leaders, [tab]);
  await assertAllFollow(world);
});

test("a change that was lost between two tabs is recovered with the next one", async () => {
  const { world, followers } = await openTabs(2);
  world.loses = ({ kind }) => kind === "message";
  world.server.change();
  await world.turn(MOMENT_MS);
  assert.equal(followers[0].isCurrent, false);
  world.loses = () => false;
  world.server.change();
  await world.turn(MOMENT_MS);
  assert.deepEqual(types(followers[0]), ["hello", "status", "status"]);
  assert.ok(followers[0].isCurrent);
});

test("a page that is ahead of the leader waits for it, and shows nothing twice", async () => {
  const { world, leader } = await openTabs(1);
  world.server.slownessMs = 3000;
  world.server.change();
  await world.turn(50);
  const tab = world.openTab().start();
  await world.turn(300);
  assert.equal(leader.isCurrent, false);
  world.server.change();
  await world.turn(4000);
  assert.deepEqual(types(tab), ["hello", "status"]);
  assert.ok(leader.isCurrent && tab.isCurrent);
  assert.deepEqual(world.leaders, [leader]);
});

test("a page of one pet receives its changes only, and the others as heartbeats", async () => {
  const { world } = await openTabs(1);
  const tab = world.openTab({ pets: ["2"] }).start();
  await world.turn(MOMENT_MS);
  for (const pet of ["1", "2", "3"]) world.server.change(pet);
  await world.turn(MOMENT_MS);
  assert.deepEqual(types(tab), ["hello", "heartbeat", "status", "heartbeat"]);
  assert.equal(tab.board.cursor, world.server.cursor);
  assert.deepEqual(Object.keys(tab.shown), ["2"]);
});

test("a leader with a page of one pet relays changes and snapshots of every pet", async () => {
  const { world, leader } = await openTabs(1, { pets: ["2"] });
  const index = world.openTab().start();
  await world.turn(MOMENT_MS);
  for (const pet of ["1", "2", "3"]) world.server.change(pet);
  await world.turn(MOMENT_MS);
  assert.ok(index.isCurrent);
  world.server.restore();
  await world.turn(2000);
  assert.deepEqual(world.leaders, [leader]);
  assert.ok(index.isCurrent && leader.isCurrent);
  assert.deepEqual(Object.keys(leader.shown), ["2"]);
});

test("a page without a cursor gets a snapshot, and the leader stays", async () => {
  const { world, leader } = await openTabs(2);
  const hello = world.openTab({ hasCursor: false }).start();
  await world.turn(MOMENT_MS);
  assert.deepEqual(types(hello), ["hello", "snapshot"]);
  assert.deepEqual(world.leaders, [leader]);
  assert.ok(hello.isCurrent);
});

test("another epoch reaches every tab", async () => {
  const { world, tabs } = await openTabs(3);
  for (let i = 0; i < 5; i += 1) world.server.change();
  await world.turn(MOMENT_MS);
  world.server.restore();
  await world.turn(2000);
  for (const tab of tabs) assert.ok(tab.isCurrent);
  assert.equal(world.server.polls, 0);
  await assertAllFollow(world);
});
