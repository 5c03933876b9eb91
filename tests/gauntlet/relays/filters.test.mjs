/** The filters of the relays: they damage what they should, and nothing else, or the faults would test something else. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import * as filters from "./filters.mjs";

/** A frame of a server with this payload (RFC 6455). */
function frame(payload) {
  const body = Buffer.from(payload);
  const head = body.length < 126 ? [0x81, body.length] : [0x81, 126, body.length >> 8, body.length & 0xff];
  return Buffer.concat([Buffer.from(head), body]);
}

/** Sends all through a filter in pieces of some bytes, and returns what comes out. */
async function through(filter, data, bytes = data.length) {
  const out = [];
  filter.on("data", (piece) => out.push(piece));
  for (let at = 0; at < data.length; at += bytes) filter.write(data.subarray(at, at + bytes));
  filter.end();
  await once(filter, "end");
  return Buffer.concat(out);
}

test("a filter of frames removes whole frames, however they are split", async () => {
  const [short, long, last] = [frame("a"), frame("b".repeat(300)), frame("c".repeat(70_000 & 0xff))];
  for (const bytes of [1, 7, 1_000]) {
    const left = await through(filters.frames((each) => each.bytes <= 200), Buffer.concat([short, long, last]), bytes);
    assert.deepEqual(left, Buffer.concat([short, last]), `${bytes} bytes at a time`);
  }
});

test("pieces and collections lose nothing", async () => {
  const data = Buffer.from("the quick brown fox");
  for (const make of [() => filters.inPieces(3), () => filters.collected(5), () => filters.untilTheNext(), () => filters.jittery(5)]) {
    assert.deepEqual(await through(make(), data, 4), data);
  }
});

test("a filter of the first bytes passes them, and then cuts", async () => {
  let cuts = 0;
  const left = await through(filters.first(10, () => (cuts += 1)), Buffer.from("0123456789abcdef"), 6);
  assert.deepEqual([String(left), cuts], ["0123456789", 1]);
});
