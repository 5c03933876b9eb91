/** What a screen reader is told, and how often. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock } from "../support/fakes.mjs";
import { Announcements, describe } from "../../../public/state/announcements.js";

const pet = (id, status) => ({ id, name: `Pet ${id}`, status });
const change = (id, from, to) => ({ id, before: pet(id, from), after: pet(id, to) });

function openAnnouncements() {
  const clock = new FakeClock();
  const said = [];
  const announcements = new Announcements({ clock, say: (sentence) => said.push(sentence) });
  return { clock, said, announcements };
}

test("one change is told by name", () => {
  assert.equal(describe([change("7", "eating", "playing")]), "Pet 7 is now playing");
  assert.equal(describe([{ id: "7", after: pet("7", "playing") }]), "Pet 7 was added");
  assert.equal(describe([{ id: "7", before: pet("7", "playing") }]), "Pet 7 was removed");
  const renamed = { ...pet("7", "eating"), name: "Olive" };
  assert.equal(describe([{ id: "7", before: pet("7", "eating"), after: renamed }]), "Olive was updated");
  assert.equal(describe([]), "");
});

test("a single change is said soon", () => {
  const { clock, said, announcements } = openAnnouncements();
  announcements.add([change("7", "eating", "playing")]);
  clock.turn(500);
  assert.deepEqual(said, ["Pet 7 is now playing"]);
});

test("many changes in a short time become one number", () => {
  const { clock, said, announcements } = openAnnouncements();
  for (const id of ["1", "2", "3", "4"]) announcements.add([change(id, "eating", "playing")]);
  clock.turn(500);
  assert.deepEqual(said, ["4 pets changed"]);
});

test("a pet that changes twice is one pet, with its last status", () => {
  const { clock, said, announcements } = openAnnouncements();
  announcements.add([change("7", "eating", "playing")]);
  announcements.add([change("7", "playing", "sleeping")]);
  clock.turn(500);
  assert.deepEqual(said, ["Pet 7 is now sleeping"]);
});

test("a pet that came and went is not mentioned", () => {
  const { clock, said, announcements } = openAnnouncements();
  announcements.add([{ id: "7", after: pet("7", "eating") }]);
  announcements.add([{ id: "7", before: pet("7", "eating") }]);
  clock.turn(10_000);
  assert.deepEqual(said, []);
});

test("between two sentences there are at least five seconds, and nothing said in them is lost", () => {
  const { clock, said, announcements } = openAnnouncements();
  announcements.add([change("1", "eating", "playing")]);
  clock.turn(500);
  announcements.add([change("2", "eating", "playing")]);
  clock.turn(2000);
  announcements.add([change("3", "eating", "playing")]);
  clock.turn(2999);
  assert.equal(said.length, 1);
  clock.turn(1);
  assert.deepEqual(said, ["Pet 1 is now playing", "2 pets changed"]);
});

test("no changes say nothing, and a stop forgets what was collected", () => {
  const { clock, said, announcements } = openAnnouncements();
  announcements.add([]);
  assert.equal(clock.waiting, 0);
  announcements.add([change("1", "eating", "playing")]);
  announcements.stop();
  clock.turn(60_000);
  assert.deepEqual(said, []);
});

test("news of the connection is said before the changes that came with it, and only the newest", () => {
  const { clock, said, announcements } = openAnnouncements();
  announcements.tell("Offline since 14:05, last known");
  announcements.tell("Live again");
  announcements.add([change("7", "eating", "playing")]);
  clock.turn(500);
  announcements.tell("Delayed");
  clock.turn(5000);
  clock.turn(60_000);
  assert.deepEqual(said, ["Live again. Pet 7 is now playing", "Delayed"]);
});

test("news of the connection is forgotten with the rest when the page is left", () => {
  const { clock, said, announcements } = openAnnouncements();
  announcements.tell("Live again");
  announcements.stop();
  announcements.add([change("7", "eating", "playing")]);
  clock.turn(500);
  assert.deepEqual(said, ["Pet 7 is now playing"]);
});
