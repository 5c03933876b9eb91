/** Ports on which the boxes listen: below those that the system gives to outgoing connections. */
import { once } from "node:events";
import { createServer } from "node:net";

/** Between 16,000 and 20,000, from where the tests of clusters have theirs: so many for one process at a time. */
const FIRST = 16_000;
const COUNT = 400;
const PROCESSES = 10;

/** @type {Promise<number> | undefined} The first port of this process. */
let ours;
let next = 0;

/** @returns {Promise<number>} A port that nobody listens on, and that is not given out again soon. */
export async function freePort() {
  ours ??= claimPorts();
  const first = await ours;
  for (let tries = 1; tries < COUNT; tries += 1) {
    const port = first + (next++ % (COUNT - 1));
    const server = await listen(port);
    if (!server) continue;
    server.close();
    await once(server, "close");
    return port;
  }
  throw new Error(`no free port from ${first} to ${first + COUNT - 2}`);
}

/**
 * Makes a run of ports this process's own: whoever holds the port before the first has the others. Two that only looked
 * for a free one could find the same, before either used it.
 */
async function claimPorts() {
  for (let number = 0; number < PROCESSES; number += 1) {
    const port = FIRST + number * COUNT;
    const claim = await listen(port);
    if (!claim) continue;
    // Held for as long as the process lives, which does not live on for it.
    claim.unref();
    return port + 1;
  }
  throw new Error(`${PROCESSES} processes hold the ports from ${FIRST} on`);
}

/**
 * @param {number} port
 * @returns {Promise<import("node:net").Server | undefined>} Nothing where somebody else listens.
 */
async function listen(port) {
  const server = createServer();
  server.listen(port, "127.0.0.1");
  try {
    await once(server, "listening");
    return server;
  } catch {
    return undefined;
  }
}
