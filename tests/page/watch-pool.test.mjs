/** One watch per server for all elements of a page. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { WatchPool } from "../../public/petstore/elements/watch-pool.js";
import { fake, last, settle } from "./support/fakes.mjs";

const ORIGIN = "https://rescue.example";

class FakeWatch extends EventTarget {
  isClosed = false;
  changes = 0;

  /** @param {string} origin @param {string[] | undefined} pets */
  constructor(origin, pets) {
    super();
    this.origin = origin;
    this.pets = pets;
  }

  close() {
    this.isClosed = true;
  }

  /** @param {string[] | undefined} pets */
  setPets(pets) {
    this.pets = pets;
    this.changes += 1;
  }

  /** @param {string} type @param {unknown} [detail] */
  send(type, detail) {
    this.dispatchEvent(Object.assign(new Event(type), { detail }));
  }
}

function openPool() {
  /** @type {FakeWatch[]} */
  const made = [];
  const pool = new WatchPool((origin, { pets }) => {
    made.push(new FakeWatch(origin, pets));
    return fake(last(made));
  });
  /** @type {string[]} */
  const updated = [];
  const join = (/** @type {string | null} */ pet, origin = ORIGIN) => {
    const server = pool.server(origin);
    const member = { pet, update: () => updated.push(pet ?? "every") };
    server.add(member);
    return { server, leave: () => server.remove(member) };
  };
  return { made, updated, join, open: () => made.filter(({ isClosed }) => !isClosed) };
}

test("twenty elements that come together open one watch, for their pets", async () => {
  const { made, join } = openPool();
  for (let pet = 1; pet <= 20; pet += 1) join(String(pet));
  join("1");
  assert.equal(made.length, 0);
  await settle();
  assert.equal(made.length, 1);
  assert.deepEqual(made[0].pets, Array.from({ length: 20 }, (_, index) => String(index + 1)).sort());
});

test("two servers have one watch each", async () => {
  const { open, join } = openPool();
  join("7");
  join("7", "https://another.example");
  await settle();
  assert.deepEqual(open().map(({ origin }) => origin), [ORIGIN, "https://another.example"]);
});

test("the watch follows the elements that come and go", async () => {
  const { made, join, updated } = openPool();
  const seven = join("7");
  await settle();
  join("12");
  await settle();
  assert.deepEqual([made[0].pets, made[0].changes], [["12", "7"], 1]);
  const board = join(null);
  await settle();
  assert.deepEqual([made[0].pets, made[0].changes], [undefined, 2]);
  updated.length = 0;
  join("13");
  await settle();
  assert.equal(made[0].changes, 2, "a watch for every pet has it already");
  assert.deepEqual(updated, ["7", "12", "every", "13"], "the new element is drawn from the open watch");
  board.leave();
  seven.leave();
  await settle();
  assert.deepEqual([made[0].pets, made[0].changes, made.length], [["12", "13"], 3, 1]);
});

test("more pets than a connection may name are watched as every pet", async () => {
  const { open, join } = openPool();
  for (let pet = 1; pet <= 101; pet += 1) join(String(pet));
  await settle();
  assert.equal(last(open()).pets, undefined);
});

test("an element that is moved keeps the watch, and the last one that leaves closes it", async () => {
  const { made, open, join } = openPool();
  const first = join("7");
  await settle();
  first.leave();
  const second = join("7");
  await settle();
  assert.deepEqual([made.length, made[0].changes], [1, 0]);
  second.leave();
  await settle();
  assert.deepEqual([open(), second.server.watch], [[], null]);
  join("7");
  await settle();
  assert.equal(open().length, 1);
});

test("a change updates the elements of its pet, and a snapshot or the connection all of them", async () => {
  const { made, join, updated } = openPool();
  for (const pet of ["7", "7", "12", null]) join(pet);
  await settle();
  updated.length = 0;
  made[0].send("change", [{ id: "7" }]);
  assert.deepEqual(updated.splice(0), ["7", "7", "every"]);
  for (const type of ["snapshot", "connection"]) {
    made[0].send(type);
    assert.deepEqual(updated.splice(0), ["7", "7", "12", "every"]);
  }
});
