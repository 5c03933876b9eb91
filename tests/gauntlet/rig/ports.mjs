/** Ports on which the boxes listen: below those that the system gives to outgoing connections. */
import { once } from "node:events";
import { createServer } from "node:net";

const FIRST = 21_600;
const COUNT = 400;

// From anywhere in the range, so that two gauntlets side by side rarely want the same.
let next = Math.floor(Math.random() * COUNT);

/** @returns {Promise<number>} A port that nobody listens on, and that is not given out again soon. */
export async function freePort() {
  for (let tries = 0; tries < COUNT; tries += 1) {
    const port = FIRST + (next++ % COUNT);
    const server = createServer();
    server.listen(port, "127.0.0.1");
    try {
      await once(server, "listening");
    } catch {
      continue;
    }
    server.close();
    await once(server, "close");
    return port;
  }
  throw new Error(`no free port from ${FIRST} to ${FIRST + COUNT - 1}`);
}
