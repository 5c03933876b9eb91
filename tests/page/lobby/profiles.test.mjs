/** Profiles after a snapshot: read once, again after a failure, and never as staff. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Profiles } from "../../../public/app/lobby/profiles.js";
import { FakeClock, fake } from "../support/fakes.mjs";

const GAP_MS = 10_000;
const LIVE = { status: "sleeping", activity: "at-the-vet", since: "2026-11-29T14:05:00Z", note: "until 3" };
const PETS = [{ id: 7, name: "Miso", species: "Cat", breed: "", photos: [{ url: "/photos/a-400.jpg" }], ...LIVE }];

const settle = () => new Promise((resolve) => setImmediate(resolve));

function openProfiles() {
  const clock = new FakeClock();
  /** @type {any[]} */
  const requests = [];
  const network = { fails: false, requests };
  const fetch = async (/** @type {any[]} */ ...request) => {
    network.requests.push(request);
    if (network.fails) throw new TypeError("offline");
    return { json: async () => ({ pets: PETS }) };
  };
  const profiles = new Profiles({ fetch: /** @type {any} */ (fetch), site: "https://rescue.example", clock });
  /** @type {any[]} */
  const read = [];
  profiles.onread = (all) => read.push(all);
  return { clock, network, profiles, read };
}

test("nothing is asked for until it is needed", () => {
  const { network, profiles } = openProfiles();
  profiles.tick();
  assert.deepEqual(network.requests, []);
});

test("the fields that the board does not keep current are read as it has them, without the session of staff", async () => {
  const { network, profiles, read } = openProfiles();
  profiles.need();
  profiles.tick();
  profiles.tick();
  await settle();
  assert.deepEqual(network.requests, [["https://rescue.example/api/v1/pets", { credentials: "omit" }]]);
  assert.deepEqual(read, [[{ id: "7", name: "Miso", species: "Cat", breed: "", photos: '[{"url":"/photos/a-400.jpg"}]' }]]);
});

test("a failure is followed by another attempt, and a snapshot by another request", async () => {
  const { clock, network, profiles, read } = openProfiles();
  network.fails = true;
  profiles.need();
  profiles.tick();
  await settle();
  profiles.tick();
  assert.equal(network.requests.length, 1);
  network.fails = false;
  clock.turn(GAP_MS);
  profiles.tick();
  await settle();
  assert.equal(read.length, 1);
  profiles.need();
  clock.turn(GAP_MS);
  profiles.tick();
  await settle();
  assert.deepEqual([network.requests.length, read.length], [3, 2]);
});
