/** How far a tap of staff has come: saving, saved, live, and taken back. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock, settle } from "../support/fakes.mjs";
import { Saves } from "../../../public/state/saves.js";
import { Board } from "../../../public/state/board.js";
import { StatusSetter } from "../../../public/live/set-status.js";

const cursor = (rev) => `9f2c41aa-${rev}`;

/** A board with pet 7 asleep at rev 10, and saves whose requests a test answers. */
function open() {
  const clock = new FakeClock();
  const board = new Board(cursor(10), [{ id: "7", name: "Otto", status: "sleeping", since: "x" }]);
  const sent = [];
  const send = (pet, status, restored) =>
    new Promise((resolve) => sent.push({ pet, status, restored, answer: resolve }));
  const saves = new Saves({ clock, send, board });
  const shown = [];
  saves.onchange = (pet, what) => shown.push(what && { pet, ...what });
  const hear = (message) => (board.apply(message), saves.hear(message));
  const status = (rev, word) => hear({ type: "status", cursor: cursor(rev), pet: 7, status: word, since: "y" });
  const answer = async (rev) => (sent.at(-1).answer({ cursor: cursor(rev) }), await settle());
  return { clock, saves, sent, shown, hear, status, answer, last: () => shown.at(-1) };
}

test("a tap is saving, then saved, then live when the page's own stream has passed it", async () => {
  const { saves, sent, shown, status, answer } = open();
  saves.set("7", "eating");
  assert.deepEqual(sent.map(({ pet, status }) => [pet, status]), [["7", "eating"]]);
  await answer(11);
  status(11, "eating");
  assert.deepEqual(shown.map(({ phase }) => phase), ["saving", "saved", "live"]);
  assert.deepEqual(shown.map(({ canUndo }) => canUndo), [false, true, true]);
});

test("a stream that is faster than the answer makes it live at once", async () => {
  const { saves, status, answer, last } = open();
  saves.set("7", "eating");
  status(11, "eating");
  assert.equal(last().phase, "saving");
  await answer(11);
  assert.equal(last().phase, "live");
});

test("a heartbeat beyond it makes it live too, as on a page that watches another pet", async () => {
  const { saves, hear, answer, last } = open();
  saves.set("7", "eating");
  await answer(11);
  hear({ type: "heartbeat", cursor: cursor(10) });
  assert.equal(last().phase, "saved");
  hear({ type: "heartbeat", cursor: cursor(12) });
  assert.equal(last().phase, "live");
});

test("undo sets what it was before, for ten seconds, and cannot itself be undone", async () => {
  const { clock, saves, sent, status, answer, last } = open();
  saves.set("7", "eating");
  await answer(11);
  status(11, "eating");
  clock.turn(9_999);
  saves.undo("7");
  assert.equal(sent.at(-1).status, "sleeping");
  assert.deepEqual(sent.at(-1).restored, { since: "x", replaces: cursor(11) });
  await answer(12);
  assert.equal(last().canUndo, false);
  saves.undo("7");
  assert.equal(sent.length, 2);
});

test("after ten seconds there is nothing to undo, and nothing left to say once it is live", async () => {
  const { clock, saves, sent, status, answer, last } = open();
  saves.set("7", "eating");
  await answer(11);
  clock.turn(10_000);
  assert.deepEqual([last().phase, last().canUndo], ["saved", false]);
  saves.undo("7");
  assert.equal(sent.length, 1);
  status(11, "eating");
  assert.equal(last(), null);
  assert.equal(clock.waiting, 0);
});

test("what somebody else has set meanwhile is not undone", async () => {
  const { saves, sent, status, answer, last } = open();
  saves.set("7", "eating");
  await answer(11);
  status(11, "eating");
  assert.equal(last().canUndo, true);
  status(12, "bathing");
  assert.equal(last().canUndo, false);
  saves.undo("7");
  assert.equal(sent.length, 1);
});

test("what somebody else has set is not undone either when it came before the answer, or in a snapshot", async () => {
  const early = open();
  early.saves.set("7", "eating");
  early.status(11, "eating");
  early.status(12, "bathing");
  await early.answer(11);
  assert.equal(early.last().canUndo, false);

  const late = open();
  late.saves.set("7", "eating");
  await late.answer(11);
  assert.equal(late.last().canUndo, true);
  const pets = [{ id: 7, name: "Otto", status: "bathing", since: "z" }];
  late.hear({ type: "snapshot", cursor: cursor(15), pets });
  assert.equal(late.last().canUndo, false);
});

test("a second tap takes the place of the first, is sent after it, and goes back to what was before both", async () => {
  const { saves, sent, shown, answer, last } = open();
  saves.set("7", "eating");
  saves.set("7", "bathing");
  await settle();
  assert.equal(sent.length, 1, "two at the same time may overtake each other");
  sent[0].answer({ cursor: cursor(11) });
  await settle();
  assert.equal(last().phase, "saving", "the answer to the first says nothing about the second");
  await answer(12);
  assert.equal(last().status, "bathing");
  saves.undo("7");
  assert.equal(sent.at(-1).status, "sleeping");
  assert.deepEqual(sent.at(-1).restored, { since: "x", replaces: cursor(12) });
  assert.ok(shown.every(({ pet }) => pet === "7"));
});

test("two taps on the same wrong button can be undone, back to before the first", async () => {
  const { saves, sent, answer, status, last } = open();
  saves.set("7", "eating");
  saves.set("7", "eating");
  await answer(11);
  status(11, "eating");
  await answer(12);
  assert.equal(last().canUndo, true);
  saves.undo("7");
  assert.equal(sent.at(-1).status, "sleeping");
  assert.deepEqual(sent.at(-1).restored, { since: "x", replaces: cursor(12) });
});

test("a wrong tap that was put right by hand still has its time restored by undo", async () => {
  const { saves, sent, answer, status, last } = open();
  saves.set("7", "eating");
  await answer(11);
  status(11, "eating");
  saves.set("7", "sleeping");
  await answer(12);
  assert.equal(last().canUndo, true);
  saves.undo("7");
  assert.deepEqual(sent.at(-1).restored, { since: "x", replaces: cursor(12) });
});

test("what somebody else has set between two taps is what undo goes back to", async () => {
  for (const isLate of [false, true]) {
    const { saves, sent, answer, status } = open();
    const others = () => status(12, "bathing");
    saves.set("7", "eating");
    saves.set("7", "playing");
    await answer(11);
    status(11, "eating");
    if (!isLate) others();
    await answer(13);
    if (isLate) others();
    saves.undo("7");
    assert.equal(sent.at(-1).status, "bathing");
    assert.deepEqual(sent.at(-1).restored, { since: "y", replaces: cursor(13) });
  }
});

test("a tap while an undo is on its way goes back to what the undo restores", async () => {
  const { saves, sent, answer, status } = open();
  saves.set("7", "eating");
  await answer(11);
  status(11, "eating");
  saves.undo("7");
  saves.set("7", "playing");
  await answer(12);
  await answer(13);
  saves.undo("7");
  assert.equal(sent.at(-1).status, "sleeping");
  assert.deepEqual(sent.at(-1).restored, { since: "x", replaces: cursor(13) });
});

test("a tap that changes nothing is saved, and has nothing to go back to", async () => {
  const { saves, answer, last } = open();
  saves.set("7", "sleeping");
  await answer(11);
  assert.deepEqual([last().phase, last().canUndo], ["saved", false]);
});

test("a tap that was refused says why for a while, and the next begins anew", async () => {
  const { clock, saves, sent, last } = open();
  saves.set("7", "eating");
  sent[0].answer({ problem: "Sign in again." });
  await settle();
  assert.deepEqual([last().phase, last().text, last().canUndo], ["failed", "Not saved. Sign in again.", false]);
  clock.turn(15_000);
  assert.equal(last(), null);
  saves.set("7", "bathing");
  assert.equal(last().phase, "saving");
});

test("nothing waits any more when the page goes away", async () => {
  const { clock, saves, answer } = open();
  saves.set("7", "eating");
  await answer(11);
  assert.equal(clock.waiting, 1);
  saves.stop();
  assert.equal(clock.waiting, 0);
});

/** It said "Saved and live" while the card showed what somebody else had set. */
test("it does not say live any more once somebody else has set another status", async () => {
  const changed = "Saved. Someone else changed it since.";
  const { clock, saves, status, answer, last } = open();
  saves.set("7", "eating");
  await answer(11);
  status(11, "eating");
  assert.equal(last().text, "Saved and live");
  status(12, "playing");
  assert.deepEqual([last().text, last().canUndo], [changed, false]);
  clock.turn(10_000);
  assert.equal(last(), null);

  const faster = open();
  faster.saves.set("7", "eating");
  faster.status(12, "playing");
  await faster.answer(11);
  assert.equal(faster.last().text, changed);

  const snapshot = open();
  snapshot.saves.set("7", "eating");
  await snapshot.answer(11);
  snapshot.hear({ type: "snapshot", cursor: cursor(20), pets: [{ id: 7, name: "Otto", status: "bathing", since: "z" }] });
  assert.equal(snapshot.last().text, changed);
});

test("while the page is paused it does not say live, and does again when it goes on", async () => {
  const { saves, status, answer, last } = open();
  saves.pause(true);
  saves.set("7", "eating");
  assert.equal(last().text, "Saving…");
  await answer(11);
  status(11, "eating");
  assert.equal(last().text, "Saved. Resume to see it here.");
  saves.pause(false);
  assert.equal(last().text, "Saved and live");
});

/** A setter whose every question gets `reply`. */
function setter(reply) {
  const clock = new FakeClock();
  const asked = [];
  const fetch = (url, options) => (asked.push({ url, ...options }), reply(options));
  return { clock, asked, setter: new StatusSetter({ fetch, origin: "https://pets.example", clock }) };
}

const json = (status, body) => async () => ({ ok: status < 400, status, json: async () => body });

test("a status is put to the API of this site, and its cursor comes back", async () => {
  const { asked, clock, setter: to } = setter(json(200, { cursor: cursor(3) }));
  assert.deepEqual(await to.set("7", "eating"), { cursor: cursor(3) });
  const [{ url, method, body }] = asked;
  assert.deepEqual([url, method, body], ["https://pets.example/api/v1/pets/7/status", "PUT", '{"status":"eating"}']);
  await to.set("7", "sleeping", { since: "x", replaces: cursor(3) });
  assert.equal(asked[1].body, `{"status":"sleeping","since":"x","replaces":"${cursor(3)}"}`);
  assert.equal(clock.waiting, 0);
});

test("a refusal comes back in words, and so does silence", async () => {
  const words = async (reply) => (await setter(reply).setter.set("7", "eating")).problem;
  assert.equal(await words(json(404, { detail: "There is no pet 7." })), "There is no pet 7.");
  assert.equal(await words(json(401, { detail: "Only staff may do this." })), "Sign in again.");
  assert.equal(await words(json(200, {})), "The server refused it.");
  assert.equal(await words(() => Promise.reject(new TypeError("network"))), "The server did not answer.");

  const silent = ({ signal }) =>
    new Promise((_, reject) => signal.addEventListener("abort", () => reject(new Error("aborted"))));
  const { clock, setter: to } = setter(silent);
  const asking = to.set("7", "eating");
  clock.turn(15_000);
  assert.deepEqual(await asking, { problem: "The server did not answer." });
});
