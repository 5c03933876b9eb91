/** Snapshots in parts. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { SnapshotAssembler } from "../../../public/petstore/transports/snapshot-assembler.js";

const part = (/** @type {number} */ number, cursor = "9f2c41aa-7") => ({
  type: "snapshot",
  cursor,
  part: number,
  parts: 3,
  pets: [{ id: number }],
});

test("a snapshot in parts is passed on with its last part", () => {
  const parts = new SnapshotAssembler();
  assert.equal(parts.add(part(1)), null);
  assert.equal(parts.add(part(2)), null);
  const pets = [{ id: 1 }, { id: 2 }, { id: 3 }];
  assert.deepEqual(parts.add(part(3)), { type: "snapshot", cursor: "9f2c41aa-7", pets });
  assert.equal(parts.add(part(3)), null, "nothing is kept");
});

test("complete snapshots and other messages are passed on", () => {
  const parts = new SnapshotAssembler();
  const single = { ...part(1), parts: 1 };
  assert.deepEqual(parts.add(single)?.pets, [{ id: 1 }]);
  for (const message of [{ type: "snapshot", cursor: "9f2c41aa-7", pets: [] }, { type: "status", pet: 1 }]) {
    assert.equal(parts.add(message), message);
  }
});

test("parts of different snapshots are dropped", () => {
  for (const others of [[part(1), part(3)], [part(2), part(3)], [part(1), part(2), part(3, "9f2c41aa-8")]]) {
    const parts = new SnapshotAssembler();
    assert.deepEqual(others.map((message) => parts.add(message)), others.map(() => null));
  }
});

test("a snapshot that starts over is passed on once", () => {
  const parts = new SnapshotAssembler();
  const again = "9f2c41aa-8";
  const sent = [part(1), part(2), part(1, again), part(2, again), part(3, again)];
  const taken = sent.map((message) => parts.add(message)).flatMap((message) => message ?? []);
  assert.deepEqual(taken.map(({ cursor, pets }) => [cursor, pets.length]), [[again, 3]]);
});
