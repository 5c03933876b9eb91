/** The tables of the guide: they contain the results, failures stand out, and the rest of the guide is unchanged. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { keyOfVisit, put, summaryOfVisits, tableOfVisits } from "./report.mjs";
import { shortcomings } from "./verdict.mjs";

const fine = { transport: "sse", said: [], liveMs: 412, delayMs: 8.4, changes: 50, missed: [], repeated: [], wrong: [] };
const box = { id: "b", what: "a box", guide: "b.conf", transports: ["ws", "sse"], withinMs: 1_500, start: async () => null };

test("a cell has the transport, the time until live, the delay, and what was wrong", () => {
  const bad = { ...fine, liveMs: null, delayMs: null, transport: "none", missed: [3, 4], wrong: [1] };
  const results = { [keyOfVisit("b", "pet-store", "chromium")]: fine, [keyOfVisit("b", "socket.io", "firefox")]: bad };
  const [, , row] = tableOfVisits([box], results).split("\n");
  const dead = "not live · **2 missed** · **1 wrong in the end**";
  assert.equal(row, `| [a box](networks/b.conf) | SSE · 0.41 s · 8 ms |  |  | ${dead} |`);
});

test("every missed bound is found", () => {
  assert.deepEqual(shortcomings(box, fine), []);
  const bad = { transport: "poll", liveMs: 1_501, missed: [7], repeated: [8, 9], wrong: [2] };
  for (const [name, value] of Object.entries(bad)) {
    assert.equal(shortcomings(box, { ...fine, [name]: value }).length, 1, name);
  }
  assert.equal(shortcomings(box, { ...fine, liveMs: null }).length, 1);
  assert.equal(shortcomings(box, { ...fine, ...bad }).length, 5);
});

test("a table replaces what is between its marks, and nothing else", () => {
  const guide = (one, other) => `a\n<!-- gauntlet: x -->${one}<!-- end -->\nb\n<!-- gauntlet: y -->${other}<!-- end -->\nc`;
  const once = put(guide("", "old"), "x", "| 1 |");
  assert.equal(once, guide("\n\n| 1 |\n\n", "old"));
  assert.equal(put(once, "x", "| 2 |"), guide("\n\n| 2 |\n\n", "old"));
  assert.throws(() => put(guide("", ""), "z", ""), /z/);
});

test("the summary counts cells in which pet-store is sooner, and not later afterwards", () => {
  const results = {
    [keyOfVisit("b", "pet-store", "chromium")]: { ...fine, liveMs: 400, delayMs: 40, missed: [3] },
    [keyOfVisit("b", "socket.io", "chromium")]: { ...fine, liveMs: 500, delayMs: 20 },
    [keyOfVisit("b", "pet-store", "firefox")]: { ...fine, liveMs: null, delayMs: 41, repeated: [1, 2] },
    [keyOfVisit("b", "socket.io", "firefox")]: { ...fine, liveMs: 500, delayMs: 20, missed: [9] },
  };
  const text = summaryOfVisits([box, { ...box, id: "not visited" }], results);
  assert.match(text, /sooner than Socket.IO in 1 of 2 cells/);
  assert.match(text, /plus 20 ms in 1\. Missed: 1, repeated: 2\.$/);
});
