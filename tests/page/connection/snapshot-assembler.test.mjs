/** Snapshots in parts. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Parts } from "../../../public/live/transports/snapshot-assembler.js";

const part = (number, cursor = "9f2c41aa-7") => ({
  type: "snapshot",
  cursor,
  part: number,
  parts: 3,
  pets: [{ id: number }],
});

test("a snapshot in parts is passed on whole, with the last of them", () => {
  const parts = new Parts();
  assert.equal(parts.take(part(1)), null);
  assert.equal(parts.take(part(2)), null);
  const pets = [{ id: 1 }, { id: 2 }, { id: 3 }];
  assert.deepEqual(parts.take(part(3)), { type: "snapshot", cursor: "9f2c41aa-7", pets });
  assert.equal(parts.take(part(3)), null, "nothing is kept of it");
});

test("a snapshot of one part, one of an older server and every other message are passed on", () => {
  const parts = new Parts();
  const single = { ...part(1), parts: 1 };
  assert.deepEqual(parts.take(single).pets, [{ id: 1 }]);
  for (const message of [{ type: "snapshot", cursor: "9f2c41aa-7", pets: [] }, { type: "status", pet: 1 }]) {
    assert.equal(parts.take(message), message);
  }
});

test("parts that do not belong together make no snapshot", () => {
  for (const others of [[part(1), part(3)], [part(2), part(3)], [part(1), part(2), part(3, "9f2c41aa-8")]]) {
    const parts = new Parts();
    assert.deepEqual(others.map((message) => parts.take(message)), others.map(() => null));
  }
});

test("a snapshot that starts over is passed on once", () => {
  const parts = new Parts();
  const again = "9f2c41aa-8";
  const sent = [part(1), part(2), part(1, again), part(2, again), part(3, again)];
  const taken = sent.map((message) => parts.take(message)).filter((message) => message);
  assert.deepEqual(taken.map(({ cursor, pets }) => [cursor, pets.length]), [[again, 3]]);
});
