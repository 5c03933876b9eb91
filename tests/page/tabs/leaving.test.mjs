/** Pages that go away and come back, and browsers in which tabs cannot share. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { last } from "../support/fakes.mjs";
import { HEARTBEAT_MS } from "./server.mjs";
import { connections, MOMENT_MS, openTabs } from "./tabs.mjs";
import { World } from "./world.mjs";

/** Changes that are more than the tabs keep. */
const TOO_MANY = 300;

test("a page that goes away keeps no lock, channel or timer, and gets what it missed when it comes back", async () => {
  const { world, leader } = await openTabs(1);
  leader.leave();
  await world.turn(0);
  assert.equal(last(leader.states), "down");
  assert.equal(world.channels.size, 0);
  assert.equal(world.locks.holder, null);
  const heard = leader.received.length;
  for (let i = 0; i < 3; i += 1) world.server.change();
  await world.turn(3 * HEARTBEAT_MS);
  assert.equal(leader.received.length, heard);
  leader.comeBack();
  await world.turn(MOMENT_MS);
  assert.ok(leader.isCurrent);
});

test("a follower that goes away sends no further request", async () => {
  const { world, followers } = await openTabs(2);
  followers[0].leave();
  const [states, heard] = [followers[0].states.length, followers[0].received.length];
  world.server.change();
  await world.turn(5 * HEARTBEAT_MS);
  assert.deepEqual([followers[0].states.length, followers[0].received.length], [states, heard]);
  assert.equal(connections(world), 1);
});

test("a page that goes away during a request drops the response", async () => {
  const { world } = await openTabs(1);
  const tab = world.openTab();
  for (let i = 0; i < TOO_MANY; i += 1) world.server.change();
  await world.turn(MOMENT_MS);
  tab.start();
  while (world.server.polls === 0) await world.turn(1);
  tab.leave();
  const heard = tab.received.length;
  await world.turn(10_000);
  assert.equal(tab.received.length, heard);
  assert.equal(last(tab.states), "down");
});

const BROKEN = {
  "throws instead of opening a channel": {
    BroadcastChannel: class {
      constructor() {
        throw new DOMException("no", "SecurityError");
      }
    },
  },
  "never gives a lock": { locks: { request: () => new Promise(() => {}) } },
};

const LOCKLESS = {
  "refuses every lock": { locks: { request: async () => Promise.reject(new DOMException("no", "SecurityError")) } },
  "throws when asked for a lock": {
    locks: {
      request() {
        throw new TypeError("no");
      },
    },
  },
  "has no locks": { locks: undefined },
};

for (const [how, parts] of Object.entries(LOCKLESS)) {
  test(`in a browser that ${how}, tabs share one connection all the same`, async () => {
    const world = new World();
    const tabs = [world.openTab({ parts }).start(), world.openTab({ parts, pets: ["2"] }).start()];
    await world.turn(10_000);
    world.server.change("2");
    await world.turn(MOMENT_MS);
    assert.equal(world.server.viewers, 1);
    for (const tab of tabs) assert.ok(tab.isCurrent);
    for (const tab of tabs) tab.close();
    assert.equal(world.server.viewers, 0);
  });
}

for (const [how, parts] of Object.entries(BROKEN)) {
  test(`in a browser that ${how}, each tab has a connection of its own`, async () => {
    const world = new World();
    const tabs = [world.openTab({ parts }).start(), world.openTab({ parts, pets: ["2"] }).start()];
    await world.turn(10_000);
    world.server.change("2");
    await world.turn(MOMENT_MS);
    assert.equal(world.server.viewers, 2);
    assert.equal(world.channels.size, 0);
    for (const tab of tabs) assert.ok(tab.isCurrent);
    for (const tab of tabs) tab.close();
    assert.equal(world.server.viewers, 0);
  });
}
