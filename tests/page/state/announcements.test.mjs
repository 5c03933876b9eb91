/** Announcements for screen readers, and their rate. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock } from "../support/fakes.mjs";
import { Announcements, describe } from "../../../public/app/state/announcements.js";

const pet = (/** @type {string} */ id, /** @type {string} */ status) => ({ id, name: `Pet ${id}`, status });
const change = (/** @type {string} */ id, /** @type {string} */ from, /** @type {string} */ to) => {
  return { id, before: pet(id, from), after: pet(id, to) };
};

function openAnnouncements() {
  const clock = new FakeClock();
  /** @type {string[]} */
  const said = [];
  const announcements = new Announcements({ clock, say: (sentence) => said.push(sentence) });
  return { clock, said, announcements };
}

test("one change is announced by name", () => {
  assert.equal(describe([change("7", "eating", "playing")]), "Pet 7 is now playing.");
  assert.equal(describe([{ id: "7", after: pet("7", "playing") }]), "Pet 7 was added.");
  assert.equal(describe([{ id: "7", before: pet("7", "playing") }]), "Pet 7 was removed.");
  const renamed = { ...pet("7", "eating"), name: "Olive" };
  assert.equal(describe([{ id: "7", before: pet("7", "eating"), after: renamed }]), "Olive was updated.");
  assert.equal(describe([]), "");
});

test("a note is announced with its status, and alone if it changes alone", () => {
  const { before, after } = change("7", "eating", "playing");
  const noted = { ...after, note: "with Miso" };
  assert.equal(describe([{ id: "7", before: { ...before, note: "slowly" }, after: noted }]), "Pet 7 is now playing: with Miso.");
  assert.equal(describe([{ id: "7", before: { ...after, note: "" }, after: noted }]), "Pet 7 is now playing: with Miso.");
  assert.equal(describe([{ id: "7", before: noted, after: { ...after, note: "" } }]), "Pet 7 was updated.");
});

test("a single change is announced soon", () => {
  const { clock, said, announcements } = openAnnouncements();
  announcements.add([change("7", "eating", "playing")]);
  clock.turn(500);
  assert.deepEqual(said, ["Pet 7 is now playing."]);
});

test("many changes in a short time are announced as a number", () => {
  const { clock, said, announcements } = openAnnouncements();
  for (const id of ["1", "2", "3", "4"]) announcements.add([change(id, "eating", "playing")]);
  clock.turn(500);
  assert.deepEqual(said, ["4 pets changed."]);
});

test("a pet that changes twice is one pet, with its last status", () => {
  const { clock, said, announcements } = openAnnouncements();
  announcements.add([change("7", "eating", "playing")]);
  announcements.add([change("7", "playing", "sleeping")]);
  clock.turn(500);
  assert.deepEqual(said, ["Pet 7 is now sleeping."]);
});

test("a pet that was added and removed is not mentioned", () => {
  const { clock, said, announcements } = openAnnouncements();
  announcements.add([{ id: "7", after: pet("7", "eating") }]);
  announcements.add([{ id: "7", before: pet("7", "eating") }]);
  clock.turn(10_000);
  assert.deepEqual(said, []);
});

test("announcements are at least five seconds apart, and no change in between is lost", () => {
  const { clock, said, announcements } = openAnnouncements();
  announcements.add([change("1", "eating", "playing")]);
  clock.turn(500);
  announcements.add([change("2", "eating", "playing")]);
  clock.turn(2000);
  announcements.add([change("3", "eating", "playing")]);
  clock.turn(2999);
  assert.equal(said.length, 1);
  clock.turn(1);
  assert.deepEqual(said, ["Pet 1 is now playing.", "2 pets changed."]);
});

test("no changes announce nothing, and stopping drops what was collected", () => {
  const { clock, said, announcements } = openAnnouncements();
  announcements.add([]);
  assert.equal(clock.waiting, 0);
  announcements.add([change("1", "eating", "playing")]);
  announcements.stop();
  clock.turn(60_000);
  assert.deepEqual(said, []);
});

test("the newest connection status is announced before the changes", () => {
  const { clock, said, announcements } = openAnnouncements();
  announcements.addStatus("Offline. Showing what we knew at 14:05.");
  announcements.addStatus("Live again.");
  announcements.add([change("7", "eating", "playing")]);
  clock.turn(500);
  announcements.addStatus("Delayed.");
  clock.turn(5000);
  clock.turn(60_000);
  assert.deepEqual(said, ["Live again. Pet 7 is now playing.", "Delayed."]);
});

test("stopping drops the connection status too", () => {
  const { clock, said, announcements } = openAnnouncements();
  announcements.addStatus("Live again.");
  announcements.stop();
  announcements.add([change("7", "eating", "playing")]);
  clock.turn(500);
  assert.deepEqual(said, ["Pet 7 is now playing."]);
});
