/** Pausing: changes are held back, and none is lost. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Board } from "../../../public/petstore/board/board.js";
import { Pause } from "../../../public/app/state/pause.js";

const pet = (/** @type {number} */ id, status = "eating") => ({ id: String(id), name: `Pet ${id}`, status, since: "2024-05-01T12:00:00Z" });
const change = (/** @type {number} */ rev, /** @type {number} */ id, /** @type {string} */ status) => ({
  type: "status",
  cursor: `9f2c41aa-${rev}`,
  pet: id,
  status,
  since: "2024-05-01T12:00:00Z",
});

function openPause() {
  const board = new Board("9f2c41aa-1", [pet(1), pet(2), pet(3)]);
  return { board, pause: new Pause(board) };
}

test("changes pass while the page is not paused", () => {
  const { board, pause } = openPause();
  assert.equal(pause.filter(board.apply(change(2, 1, "playing")) ?? []).length, 1);
});

test("while paused nothing is drawn, and the board receives changes", () => {
  const { board, pause } = openPause();
  pause.pause();
  assert.deepEqual(pause.filter(board.apply(change(2, 1, "playing")) ?? []), []);
  assert.equal(board.pets.get("1")?.status, "playing");
  assert.equal(board.cursor, "9f2c41aa-2");
});

test("resuming draws the net result, each pet once", () => {
  const { board, pause } = openPause();
  pause.pause();
  board.apply(change(2, 1, "playing"));
  board.apply(change(3, 1, "sleeping"));
  board.apply(change(4, 2, "playing"));
  board.apply(change(5, 2, "eating"));
  board.apply({ type: "gone", cursor: "9f2c41aa-6", pet: 3 });
  board.apply({ type: "pet", cursor: "9f2c41aa-7", pet: 4, name: "Olive", status: "eating", since: "" });
  assert.deepEqual(
    pause.resume().map(({ id, before, after }) => [id, before?.status, after?.status]),
    [
      ["3", "eating", undefined],
      ["1", "eating", "sleeping"],
      ["4", undefined, "eating"],
    ],
  );
});

test("a pet that was added and removed while paused is never drawn", () => {
  const { board, pause } = openPause();
  pause.pause();
  board.apply({ type: "pet", cursor: "9f2c41aa-2", pet: 4, name: "Olive", status: "eating", since: "" });
  board.apply({ type: "gone", cursor: "9f2c41aa-3", pet: 4 });
  assert.deepEqual(pause.resume(), []);
});

test("resuming a page that is not paused draws nothing, and pausing twice changes nothing", () => {
  const { board, pause } = openPause();
  assert.deepEqual(pause.resume(), []);
  pause.pause();
  board.apply(change(2, 1, "playing"));
  pause.pause();
  assert.equal(pause.resume().length, 1);
  assert.deepEqual(pause.resume(), []);
});
