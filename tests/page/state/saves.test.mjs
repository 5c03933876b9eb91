/** A status that staff set: saving, saved, live, undone. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock, fakeFetch, last, settle } from "../support/fakes.mjs";
import { Saves } from "../../../public/app/state/saves.js";
import { Board } from "../../../public/petstore/board/board.js";
import { Commands } from "../../../public/app/server/commands.js";
/** @import { StatusResult } from "../../../public/app/server/commands.js" */
/** @import { Message } from "../../../public/petstore/protocol/message.js" */
/** @import { Shown } from "../../../public/app/state/saves.js" */
/** @import { FakeRequest } from "../support/fakes.mjs" */

const cursor = (/** @type {number} */ rev) => `9f2c41aa-${rev}`;

/** A board with pet 7 asleep at rev 10, and saves whose requests a test answers. */
function open() {
  const clock = new FakeClock();
  const board = new Board(cursor(10), [{ id: "7", name: "Otto", status: "sleeping", since: "x", note: "at last" }]);
  /** @type {{ pet: string, status: string, undo: unknown, answer: (result: StatusResult) => void }[]} */
  const sent = [];
  /** @type {Commands["setStatus"]} */
  const send = (pet, status, undo) => new Promise((resolve) => sent.push({ pet, status, undo, answer: resolve }));
  const saves = new Saves({ clock, send, board });
  /** @type {(Shown & { pet: string } | null)[]} */
  const shown = [];
  saves.onchange = (pet, what) => shown.push(what && { pet, ...what });
  const receive = (/** @type {Message} */ message) => (board.apply(message), saves.receive(message));
  const status = (/** @type {number} */ rev, /** @type {string} */ name) =>
    receive({ type: "status", cursor: cursor(rev), pet: 7, status: name, since: "y" });
  const answer = async (/** @type {number} */ rev) => (last(sent).answer({ cursor: cursor(rev) }), await settle());
  /** Returns what is shown now, if anything. */
  const current = () => last(shown) ?? { phase: null, text: null, status: null, canUndo: false };
  const hasEnded = () => last(shown) === null;
  return { clock, saves, sent, shown, receive, status, answer, current, hasEnded };
}

test("a tap is saving, then saved, then live once the page's stream has delivered it", async () => {
  const { saves, sent, shown, status, answer } = open();
  saves.set("7", "eating");
  assert.deepEqual(sent.map(({ pet, status }) => [pet, status]), [["7", "eating"]]);
  await answer(11);
  status(11, "eating");
  assert.deepEqual(shown.map((save) => save?.phase), ["saving", "saved", "live"]);
  assert.deepEqual(shown.map((save) => save?.canUndo), [false, true, true]);
});

test("if the stream is faster than the response, the save is live immediately", async () => {
  const { saves, status, answer, current } = open();
  saves.set("7", "eating");
  status(11, "eating");
  assert.equal(current().phase, "saving");
  await answer(11);
  assert.equal(current().phase, "live");
});

test("a later heartbeat makes it live too, as on the page of another pet", async () => {
  const { saves, receive, answer, current } = open();
  saves.set("7", "eating");
  await answer(11);
  receive({ type: "heartbeat", cursor: cursor(10) });
  assert.equal(current().phase, "saved");
  receive({ type: "heartbeat", cursor: cursor(12) });
  assert.equal(current().phase, "live");
});

test("undo restores the earlier status, for ten seconds, and cannot be undone itself", async () => {
  const { clock, saves, sent, status, answer, current } = open();
  saves.set("7", "eating");
  await answer(11);
  status(11, "eating");
  clock.turn(9_999);
  saves.undo("7");
  assert.equal(last(sent).status, "sleeping");
  assert.deepEqual(last(sent).undo, { since: "x", note: "at last", replaces: cursor(11) });
  await answer(12);
  assert.equal(current().canUndo, false);
  saves.undo("7");
  assert.equal(sent.length, 2);
});

test("after ten seconds there is no undo, and nothing to show once it is live", async () => {
  const { clock, saves, sent, status, answer, current, hasEnded } = open();
  saves.set("7", "eating");
  await answer(11);
  clock.turn(10_000);
  assert.deepEqual([current().phase, current().canUndo], ["saved", false]);
  saves.undo("7");
  assert.equal(sent.length, 1);
  status(11, "eating");
  assert.ok(hasEnded());
  assert.equal(clock.waiting, 0);
});

test("a status that somebody else has set is not undone", async () => {
  const { saves, sent, status, answer, current } = open();
  saves.set("7", "eating");
  await answer(11);
  status(11, "eating");
  assert.equal(current().canUndo, true);
  status(12, "bathing");
  assert.equal(current().canUndo, false);
  saves.undo("7");
  assert.equal(sent.length, 1);
});

test("neither is one that arrived before the response, or in a snapshot", async () => {
  const early = open();
  early.saves.set("7", "eating");
  early.status(11, "eating");
  early.status(12, "bathing");
  await early.answer(11);
  assert.equal(early.current().canUndo, false);

  const late = open();
  late.saves.set("7", "eating");
  await late.answer(11);
  assert.equal(late.current().canUndo, true);
  const pets = [{ id: 7, name: "Otto", status: "bathing", since: "z" }];
  late.receive({ type: "snapshot", cursor: cursor(15), pets });
  assert.equal(late.current().canUndo, false);
});

test("a second tap replaces the first, is sent after it, and undo restores the status before both", async () => {
  const { saves, sent, shown, answer, current } = open();
  saves.set("7", "eating");
  saves.set("7", "bathing");
  await settle();
  assert.equal(sent.length, 1, "two at the same time may overtake each other");
  sent[0].answer({ cursor: cursor(11) });
  await settle();
  assert.equal(current().phase, "saving", "the answer to the first says nothing about the second");
  await answer(12);
  assert.equal(current().status, "bathing");
  saves.undo("7");
  assert.equal(last(sent).status, "sleeping");
  assert.deepEqual(last(sent).undo, { since: "x", note: "at last", replaces: cursor(12) });
  assert.ok(shown.every((save) => save?.pet === "7"));
});

test("undo takes the first status of a pet back, also when another person's undo came between two taps", async () => {
  const { saves, sent, receive, answer } = open();
  const notSet = { type: "status", pet: 7, status: "sleeping", activity: "not-set-yet", since: "a" };
  receive({ ...notSet, cursor: cursor(11) });
  saves.set("7", "sleeping");
  await answer(12);
  saves.undo("7");
  assert.deepEqual([last(sent).status, last(sent).undo], ["not-set-yet", { since: "a", note: "", replaces: cursor(12) }]);

  const between = open();
  between.saves.set("7", "eating");
  between.receive({ ...notSet, cursor: cursor(11) });
  await between.answer(12);
  between.saves.undo("7");
  assert.deepEqual([last(between.sent).status, last(between.sent).undo], ["not-set-yet", { since: "a", note: "", replaces: cursor(12) }]);
});

test("two taps on the same wrong button can be undone together", async () => {
  const { saves, sent, answer, status, current } = open();
  saves.set("7", "eating");
  saves.set("7", "eating");
  await answer(11);
  status(11, "eating");
  await answer(12);
  assert.equal(current().canUndo, true);
  saves.undo("7");
  assert.equal(last(sent).status, "sleeping");
  assert.deepEqual(last(sent).undo, { since: "x", note: "at last", replaces: cursor(12) });
});

test("undo restores the time of a status even after a manual correction", async () => {
  const { saves, sent, answer, status, current } = open();
  saves.set("7", "eating");
  await answer(11);
  status(11, "eating");
  saves.set("7", "sleeping");
  await answer(12);
  assert.equal(current().canUndo, true);
  saves.undo("7");
  assert.deepEqual(last(sent).undo, { since: "x", note: "at last", replaces: cursor(12) });
});

test("undo restores a status that somebody else set between two taps", async () => {
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
    assert.equal(last(sent).status, "bathing");
    assert.deepEqual(last(sent).undo, { since: "y", note: "", replaces: cursor(13) });
  }
});

test("undo of a tap during an undo restores what that undo restores", async () => {
  const { saves, sent, answer, status } = open();
  saves.set("7", "eating");
  await answer(11);
  status(11, "eating");
  saves.undo("7");
  saves.set("7", "playing");
  await answer(12);
  await answer(13);
  saves.undo("7");
  assert.equal(last(sent).status, "sleeping");
  assert.deepEqual(last(sent).undo, { since: "x", note: "at last", replaces: cursor(13) });
});

test("a note or an earlier start is sent, and can be undone even if the status stays", async () => {
  const { saves, sent, answer, current } = open();
  const edit = { note: "on the sofa", minutes_ago: 20 };
  saves.set("7", "sleeping", edit);
  assert.deepEqual(last(sent).undo, edit);
  await answer(11);
  assert.equal(current().canUndo, true);
  saves.undo("7");
  assert.equal(last(sent).status, "sleeping");
  assert.deepEqual(last(sent).undo, { since: "x", note: "at last", replaces: cursor(11) });
});

test("a tap that changes nothing is saved, without undo", async () => {
  const { saves, answer, current } = open();
  saves.set("7", "sleeping");
  await answer(11);
  assert.deepEqual([current().phase, current().canUndo], ["saved", false]);
});

test("a refused tap shows the reason for a while, and the next one starts fresh", async () => {
  const { clock, saves, sent, current, hasEnded } = open();
  saves.set("7", "eating");
  sent[0].answer({ problem: "Sign in again." });
  await settle();
  assert.deepEqual([current().phase, current().text, current().canUndo], ["failed", "Not saved. Sign in again.", false]);
  clock.turn(15_000);
  assert.ok(hasEnded());
  saves.set("7", "bathing");
  assert.equal(current().phase, "saving");
});

test("no timer is left when the page goes away", async () => {
  const { clock, saves, answer } = open();
  saves.set("7", "eating");
  await answer(11);
  assert.equal(clock.waiting, 1);
  saves.stop();
  assert.equal(clock.waiting, 0);
});

/** A save was shown as live while the card showed the status of somebody else. */
test("a save is not live any more once somebody else has set another status", async () => {
  const changed = "Saved. Someone else changed it since.";
  const { clock, saves, status, answer, current, hasEnded } = open();
  saves.set("7", "eating");
  await answer(11);
  status(11, "eating");
  assert.equal(current().text, "Saved and live");
  status(12, "playing");
  assert.deepEqual([current().text, current().canUndo], [changed, false]);
  clock.turn(10_000);
  assert.ok(hasEnded());

  const faster = open();
  faster.saves.set("7", "eating");
  faster.status(12, "playing");
  await faster.answer(11);
  assert.equal(faster.current().text, changed);

  const snapshot = open();
  snapshot.saves.set("7", "eating");
  await snapshot.answer(11);
  snapshot.receive({ type: "snapshot", cursor: cursor(20), pets: [{ id: 7, name: "Otto", status: "bathing", since: "z" }] });
  assert.equal(snapshot.current().text, changed);
});

test("a save is not shown as live while the page is paused", async () => {
  const { saves, status, answer, current } = open();
  saves.setPaused(true);
  saves.set("7", "eating");
  assert.equal(current().text, "Saving…");
  await answer(11);
  status(11, "eating");
  assert.equal(current().text, "Saved. Resume to see it here.");
  saves.setPaused(false);
  assert.equal(current().text, "Saved and live");
});

/** Commands to a fake server. */
function openCommands() {
  const clock = new FakeClock();
  const { asked, fetch } = fakeFetch();
  return { clock, asked, commands: new Commands({ fetch, site: "https://pets.example", clock }) };
}

test("a status is sent to the API of this site, and the response has its cursor", async () => {
  const { asked, clock, commands } = openCommands();
  const saving = commands.setStatus("7", "eating");
  const [{ url, method, body }] = asked;
  assert.deepEqual([url.href, method, body], ["https://pets.example/api/v1/pets/7/status", "PUT", '{"status":"eating"}']);
  asked[0].answer({ cursor: cursor(3) });
  assert.deepEqual(await saving, { cursor: cursor(3) });
  commands.setStatus("7", "sleeping", { since: "x", replaces: cursor(3) });
  assert.equal(asked[1].body, `{"status":"sleeping","since":"x","replaces":"${cursor(3)}"}`);
  assert.equal(clock.waiting, 1, "only the time limit of the second");
});

test("a status that is refused, or gets no response, has an error message", async () => {
  const { clock, asked, commands } = openCommands();
  const problem = async (/** @type {(request: FakeRequest) => void} */ respond) => {
    const saving = commands.setStatus("7", "eating");
    respond(last(asked));
    return saving;
  };
  assert.deepEqual(await problem((request) => request.refuse(404, {}, { detail: "There is no pet 7." })), {
    problem: "There is no pet 7.",
  });
  assert.deepEqual(await problem((request) => request.refuse(401, {}, { detail: "Staff only." })), {
    problem: "Please sign in again.",
  });
  assert.deepEqual(await problem((request) => request.answer({})), { problem: "The server refused the change." });
  assert.deepEqual(await problem((request) => request.fail()), { problem: "The server did not respond." });
  assert.deepEqual(await problem(() => clock.turn(15_000)), { problem: "The server did not respond." });
});
