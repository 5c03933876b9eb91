/** The board: which messages it applies, and which it drops. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Board } from "../../../public/petstore/board/board.js";
import { isNewer, parseCursor } from "../../../public/petstore/protocol/cursor.js";
/** @import { Message } from "../../../public/petstore/protocol/message.js" */

const EPOCH = "9f2c41aa";
const OTHER_EPOCH = "00000001";
const T0 = "2024-05-01T12:00:00.000000Z";
const T1 = "2024-05-01T12:05:00.000000Z";

const biscuit = { id: "7", name: "Biscuit", species: "Dog", status: "eating", since: T0 };
const mochi = { id: "8", name: "Mochi", species: "Cat", status: "sleeping", since: T0 };

const newBoard = () => new Board(`${EPOCH}-10`, [biscuit, mochi]);
const status = (/** @type {number} */ rev, /** @type {number} */ pet, /** @type {string} */ status, epoch = EPOCH) => ({
  type: "status",
  cursor: `${epoch}-${rev}`,
  pet,
  status,
  since: T1,
  by: "staff",
});

test("a newer status changes the pet and advances the cursor", () => {
  const board = newBoard();
  const changes = board.apply(status(11, 7, "playing"));
  assert.deepEqual(changes, [{ id: "7", before: biscuit, after: { ...biscuit, status: "playing", since: T1 } }]);
  assert.equal(board.cursor, `${EPOCH}-11`);
  assert.equal(board.pets.get("7")?.status, "playing");
});

test("what a message says about itself does not become a field of the pet", () => {
  const board = new Board("9f2c41aa-7", [{ id: "1", name: "Biscuit", status: "sleeping", since: "2026-01-01T00:00:00Z" }]);
  const about = { cursor: "9f2c41aa-8", after: "9f2c41aa-7", at: "2026-01-01T00:00:01Z", by: "staff" };
  board.apply({ type: "status", pet: 1, status: "eating", since: "2026-01-01T00:00:01Z", ...about });
  assert.deepEqual(Object.keys(board.get("1") ?? {}).sort(), ["id", "name", "since", "status"]);
});

test("the status of a pet is the exact word, and the field that has it is no field of the pet", () => {
  const board = newBoard();
  const notSet = { ...status(11, 7, "sleeping"), activity: "not-set-yet" };
  assert.deepEqual(board.apply(notSet), [{ id: "7", before: biscuit, after: { ...biscuit, status: "not-set-yet", since: T1 } }]);
  board.apply(status(12, 7, "sleeping"));
  assert.deepEqual(board.get("7"), { ...biscuit, status: "sleeping", since: T1 });
  const entry = { id: 7, name: "Biscuit", status: "sleeping", activity: "not-set-yet", since: T1 };
  board.apply({ type: "snapshot", cursor: `${EPOCH}-13`, pets: [entry] });
  assert.equal(board.get("7")?.status, "not-set-yet");
});

test("a note lasts as long as its status, in whatever message that arrives", () => {
  const noted = { ...status(11, 7, "eating"), note: "slowly" };
  const snapshot = { type: "snapshot", cursor: `${EPOCH}-12`, pets: [{ id: 7, name: "Biscuit", status: "eating", since: T1 }] };
  const board = newBoard();
  board.apply(noted);
  assert.equal(board.get("7")?.note, "slowly");
  const [change] = board.apply(status(12, 7, "eating")) ?? [];
  assert.deepEqual([change?.before?.note, change?.after?.note], ["slowly", ""]);
  const reconnected = newBoard();
  reconnected.apply(noted);
  reconnected.apply(snapshot);
  assert.equal(reconnected.get("7")?.note, "");
});

test("a status that is not newer is dropped", () => {
  const board = newBoard();
  assert.equal(board.apply(status(10, 7, "playing")), null);
  assert.equal(board.apply(status(9, 7, "playing")), null);
  assert.equal(board.pets.get("7")?.status, "eating");
  assert.equal(board.cursor, `${EPOCH}-10`);
});

test("revs are compared as integers, also beyond the precision of a double", () => {
  assert.equal(isNewer(`${EPOCH}-10`, `${EPOCH}-9`), true);
  assert.equal(isNewer(`${EPOCH}-9007199254740993`, `${EPOCH}-9007199254740992`), true);
  assert.equal(isNewer(`${EPOCH}-18446744073709551615`, `${EPOCH}-18446744073709551614`), true);
});

test("an invalid cursor is never newer, and any cursor is newer than none", () => {
  for (const text of [undefined, null, 7, "", "9f2c41aa", "9F2C41AA-1", "9f2c41aa--1", "9f2c41aa-1x"]) {
    assert.equal(parseCursor(text), null);
    assert.equal(isNewer(text, `${EPOCH}-1`), false);
  }
  assert.equal(isNewer(`${EPOCH}-0`, ""), true);
});

test("a status of another epoch is dropped", () => {
  const board = newBoard();
  assert.equal(board.apply(status(99, 7, "playing", OTHER_EPOCH)), null);
  assert.equal(board.cursor, `${EPOCH}-10`);
});

test("a snapshot of another epoch replaces everything, and the stream continues from there", () => {
  const board = newBoard();
  const changes = board.apply({
    type: "snapshot",
    cursor: `${OTHER_EPOCH}-2`,
    pets: [
      { id: 7, name: "Biscuit", status: "bathing", since: T1 },
      { id: 9, name: "Olive", status: "playing", since: T1 },
    ],
  });
  assert.deepEqual(
    changes?.map(({ id, before, after }) => [id, before?.status, after?.status]),
    [
      ["8", "sleeping", undefined],
      ["7", "eating", "bathing"],
      ["9", undefined, "playing"],
    ],
  );
  assert.equal(board.cursor, `${OTHER_EPOCH}-2`);
  assert.equal(board.apply(status(3, 9, "eating", OTHER_EPOCH))?.length, 1);
});

test("a snapshot with a lower rev is applied: the store was restored from a backup", () => {
  const board = newBoard();
  board.apply({ type: "snapshot", cursor: `${EPOCH}-4`, pets: [] });
  assert.equal(board.cursor, `${EPOCH}-4`);
  assert.equal(board.pets.size, 0);
});

test("a snapshot keeps fields that it does not contain, and reports only differences", () => {
  const board = newBoard();
  const same = [biscuit, mochi].map(({ id, name, status, since }) => ({ id: Number(id), name, status, since }));
  assert.deepEqual(board.apply({ type: "snapshot", cursor: `${EPOCH}-12`, pets: same }), []);
  assert.equal(board.pets.get("7")?.species, "Dog");
});

test("a created pet is added and an edited one takes its new fields", () => {
  const board = newBoard();
  const applied = (/** @type {Message} */ message) => board.apply(message) ?? [];
  const olive = { name: "Olive", species: "Cat", breed: "", sex: "female", age: "", about: "", status: "playing", since: T1 };
  const [added] = applied({ type: "pet", cursor: `${EPOCH}-11`, pet: 9, ...olive });
  assert.equal(added.before, undefined);
  assert.deepEqual(added.after, { id: "9", ...olive });
  const [edited] = applied({ type: "pet", cursor: `${EPOCH}-12`, pet: 9, ...olive, name: "Olivia", colour: "red" });
  assert.equal(edited.after?.name, "Olivia");
  assert.equal(edited.after?.colour, "red", "a field that is newer than this page is kept for where it is shown");
});

test("a pet is removed once", () => {
  const board = newBoard();
  assert.deepEqual(board.apply({ type: "gone", cursor: `${EPOCH}-11`, pet: 7 }), [{ id: "7", before: biscuit }]);
  assert.deepEqual(board.apply({ type: "gone", cursor: `${EPOCH}-12`, pet: 7 }), []);
});

test("a status of an unknown pet draws nothing and still advances the cursor", () => {
  const board = newBoard();
  assert.deepEqual(board.apply(status(11, 99, "playing")), []);
  assert.equal(board.pets.has("99"), false);
  assert.equal(board.cursor, `${EPOCH}-11`);
});

test("a heartbeat advances the cursor and never sets it back", () => {
  const board = newBoard();
  assert.equal(board.apply({ type: "heartbeat", cursor: `${EPOCH}-20`, server_time: T1 }), null);
  assert.equal(board.cursor, `${EPOCH}-20`);
  board.apply({ type: "heartbeat", cursor: `${EPOCH}-15`, server_time: T1 });
  assert.equal(board.cursor, `${EPOCH}-20`);
});

test("hello does not advance the cursor: missed changes follow it", () => {
  const board = newBoard();
  assert.equal(board.apply({ type: "hello", cursor: `${EPOCH}-20`, heartbeat_ms: 15_000 }), null);
  assert.equal(board.cursor, `${EPOCH}-10`);
  assert.equal(board.apply(status(11, 7, "playing"))?.length, 1);
});

test("unknown types and messages without a cursor are ignored", () => {
  const board = newBoard();
  for (const message of [
    { type: "weather", cursor: `${EPOCH}-11` },
    { type: "ack", ref: "a1", cursor: `${EPOCH}-11` },
    { type: "status", pet: 7, status: "playing" },
    { type: "snapshot", pets: [] },
    { type: "snapshot", cursor: `${EPOCH}-11` },
  ]) {
    assert.equal(board.apply(message), null);
  }
  assert.equal(board.cursor, `${EPOCH}-10`);
});

test("an empty board applies the snapshot it receives", () => {
  const board = new Board("");
  board.apply({ type: "snapshot", cursor: `${EPOCH}-3`, pets: [{ id: 7, name: "Biscuit", status: "eating", since: T0 }] });
  assert.equal(board.cursor, `${EPOCH}-3`);
  assert.equal(board.pets.size, 1);
});

test("a page with an invalid cursor starts without one, and so with a snapshot", () => {
  assert.equal(new Board("undefined").cursor, "");
});

test("a pet without a state in a snapshot is available, if the page shows its state", () => {
  const board = new Board(`${EPOCH}-10`, [{ ...biscuit, state: "adopted" }, mochi]);
  const pets = [biscuit, mochi].map(({ id, name, status, since }) => ({ id: Number(id), name, status, since }));
  board.apply({ type: "snapshot", cursor: `${EPOCH}-11`, pets });
  assert.equal(board.get(7)?.state, "available");
  assert.equal(board.get(8)?.state, undefined);
  const [first, second] = pets;
  board.apply({ type: "snapshot", cursor: `${EPOCH}-12`, pets: [{ ...first, state: "on-hold" }, second] });
  assert.equal(board.get(7)?.state, "on-hold");
});
