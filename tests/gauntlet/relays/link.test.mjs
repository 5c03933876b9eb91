/** The slow network: it passes every byte on, and is as slow as it says, or the comparisons over it would mean nothing. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, createServer } from "node:net";
import { test } from "node:test";
import { startLink } from "./link.mjs";

/** Timers may end this much early. */
const ROUNDING_MS = 3;

/** Sends one byte over each connection, and returns the answers of a server that sends `answer` and closes. */
async function exchange(shape, answer, connections = 1) {
  const server = createServer((socket) => socket.once("data", () => socket.end(answer)));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const link = await startLink(`127.0.0.1:${server.address().port}`, shape);
  const startMs = performance.now();
  const answers = await Promise.all(Array.from({ length: connections }, () => ask(link.address)));
  const tookMs = performance.now() - startMs;
  await link.stop();
  server.close();
  return { answers, tookMs };
}

async function ask(address) {
  const socket = connect(Number(address.split(":")[1]), "127.0.0.1");
  socket.write("?");
  const pieces = [];
  for await (const piece of socket) pieces.push(piece);
  return Buffer.concat(pieces);
}

test("opening a connection costs a round trip, and the answer another one", async () => {
  const { answers, tookMs } = await exchange({ roundTripMs: 80 }, "!");
  assert.deepEqual(answers.map(String), ["!"]);
  assert.ok(tookMs >= 160 - ROUNDING_MS, `${tookMs} ms`);
});

test("all connections share the bandwidth, and every byte arrives in order", async () => {
  const answer = Buffer.from(Array.from({ length: 20_000 }, (_, index) => index % 251));
  const { answers, tookMs } = await exchange({ bitsPerSecond: 1_600_000 }, answer, 2);
  for (const each of answers) assert.deepEqual(each, answer);
  assert.ok(tookMs >= 200 - ROUNDING_MS, `${tookMs} ms for 40,000 bytes at 200 bytes a millisecond`);
});
