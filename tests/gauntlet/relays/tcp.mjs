/** A TCP proxy whose connections can be filtered, or be swallowed after silence. */
import { once } from "node:events";
import { connect, createServer } from "node:net";
import { freePort } from "../support/ports.mjs";

/**
 * @param {string} upstream  Host and port.
 * @param {{ filter?: () => import("node:stream").Duplex, forgetAfterMs?: number }} rules  `filter`: for what the server
 *   sends. `forgetAfterMs`: after this long without a byte, a connection carries nothing any more, and nobody is notified.
 * @returns {Promise<import("../support/box.mjs").Route & { address: string }>}
 */
export async function startTcpRelay(upstream, { filter, forgetAfterMs = Infinity }) {
  const { hostname, port: upstreamPort } = new URL(`http://${upstream}`);
  const open = new Set();
  const server = createServer({ noDelay: true }, (client) => {
    const far = connect({ host: hostname, port: Number(upstreamPort), noDelay: true });
    let lastMs = performance.now();
    let isDead = false;
    const each = (data, sink) => {
      isDead ||= performance.now() - lastMs > forgetAfterMs;
      lastMs = performance.now();
      if (!isDead) sink.write(data);
    };
    const back = filter?.() ?? client;
    if (back !== client) back.pipe(client);
    client.on("data", (data) => each(data, far));
    far.on("data", (data) => each(data, back));
    for (const [socket, other, sink] of [[client, far, far], [far, client, back]]) {
      open.add(socket);
      socket.on("error", () => {});
      socket.on("close", () => {
        open.delete(socket);
        if (isDead) return;
        if (sink === other) other.destroySoon();
        else sink.end();
      });
    }
  });
  const port = await freePort();
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  const stop = async () => {
    server.close();
    for (const socket of open) socket.destroy();
  };
  const address = `127.0.0.1:${port}`;
  return { origin: `http://${address}`, address, stop };
}
