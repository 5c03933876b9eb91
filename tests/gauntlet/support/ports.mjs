/** Ports for the proxies, below the range for outgoing connections. */
import { once } from "node:events";
import { createServer } from "node:net";

/** Ports from 16,000 up to 20,000, where those of the cluster tests begin; a range for each process. */
const FIRST = 16_000;
const COUNT = 400;
const PROCESSES = 10;

/** @type {Promise<number> | undefined} The first port of this process. */
let ours;
let next = 0;

/** @returns {Promise<number>} A port that is free, and that is not returned again soon. */
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
 * Claims a range of ports for this process by listening on the port before it. Two processes that only search for a free
 * port could find the same one.
 */
async function claimPorts() {
  for (let number = 0; number < PROCESSES; number += 1) {
    const port = FIRST + number * COUNT;
    const claim = await listen(port);
    if (!claim) continue;
    // Held until the process ends, without keeping it alive.
    claim.unref();
    return port + 1;
  }
  throw new Error(`${PROCESSES} processes hold the ports from ${FIRST} on`);
}

/**
 * @param {number} port
 * @returns {Promise<import("node:net").Server | undefined>} Undefined if the port is in use.
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
