/**
 * An HTTP proxy in a few lines, for middleboxes that no configuration of a real one behaves like. It passes everything on as
 * it comes, WebSocket included, except for what its rules change.
 */
import { once } from "node:events";
import { Agent, createServer, request as send } from "node:http";
import { setTimeout as pause } from "node:timers/promises";
import { freePort } from "../support/ports.mjs";

/** Headers that are for one connection only. */
const OWN_HEADERS = new Set(["connection", "keep-alive", "transfer-encoding"]);

/**
 * @typedef {import("node:http").IncomingMessage} Message
 *
 * An answer of the proxy itself.
 * @typedef {{ status: number, headers: Record<string, string>, body: string }} Answer
 *
 * @typedef {object} Rules
 * @property {(request: Message) => Answer | undefined} [answer]  Answers instead of the server; also for upgrades.
 * @property {number} [headDelayMs]  Time before each response head.
 * @property {(pairs: [string, string][], request: Message) => [string, string][]} [headers]  Changes those of a response.
 * @property {(response: Message) => import("node:stream").Duplex[]} [body]  Filters for the body of a response.
 * @property {(close: () => void) => import("node:stream").Duplex[]} [upgraded]  Filters for what the server sends after an
 *   upgrade. `close` closes the connection.
 * @property {number} [idleMs]  Time until an idle connection is closed.
 */

/**
 * @param {string} upstream  Host and port.
 * @param {Rules} rules
 * @returns {Promise<import("../support/box.mjs").Route & { address: string }>}
 */
export async function startHttpRelay(upstream, rules) {
  const relay = new Relay(upstream, rules);
  const server = createServer((request, response) => relay.pass(request, response));
  server.on("upgrade", (request, socket, head) => relay.upgrade(request, socket, head));
  server.on("connection", (socket) => socket.setNoDelay(true));
  server.keepAliveTimeout = rules.idleMs ?? 60_000;
  const port = await freePort();
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  const address = `127.0.0.1:${port}`;
  const stop = async () => {
    server.close();
    server.closeAllConnections();
    relay.stop();
  };
  return { origin: `http://${address}`, address, stop };
}

class Relay {
  #upstream;
  #rules;
  #agent = new Agent({ keepAlive: true });
  /** @type {Set<import("node:stream").Duplex>} */
  #upgraded = new Set();

  constructor(upstream, rules) {
    const { hostname, port } = new URL(`http://${upstream}`);
    this.#upstream = { hostname, port };
    this.#rules = rules;
  }

  stop() {
    this.#agent.destroy();
    for (const socket of this.#upgraded) socket.destroy();
  }

  /** @param {Message} request @param {import("node:http").ServerResponse} response */
  async pass(request, response) {
    const answer = this.#rules.answer?.(request);
    if (answer) return response.writeHead(answer.status, answer.headers).end(answer.body);
    const far = this.#send(request, this.#agent);
    request.pipe(far);
    response.on("close", () => far.destroy());
    far.on("error", () => response.destroy());
    far.on("response", async (from) => {
      await pause(this.#rules.headDelayMs ?? 0);
      response.writeHead(from.statusCode, this.#headersOf(from, request).flat());
      response.flushHeaders();
      join(from, this.#rules.body?.(from) ?? [], response);
    });
  }

  /** @param {Message} request @param {import("node:stream").Duplex} client @param {Buffer} head */
  upgrade(request, client, head) {
    const closed = () => this.#upgraded.delete(client);
    this.#upgraded.add(client);
    client.on("error", closed).on("close", closed);
    const answer = this.#rules.answer?.(request);
    if (answer) {
      const length = Buffer.byteLength(answer.body);
      return client.end(headOf(answer.status, [...Object.entries(answer.headers), ["Content-Length", length]]) + answer.body);
    }
    const far = this.#send(request, undefined);
    far.on("error", () => client.destroy());
    far.on("response", (from) => {
      client.write(headOf(from.statusCode, [...this.#headersOf(from, request), ["Connection", "close"]]));
      join(from, [], client);
    });
    far.on("upgrade", async (from, server, first) => {
      await pause(this.#rules.headDelayMs ?? 0);
      client.write(headOf(101, pairsOf(from)));
      server.unshift(first);
      client.unshift(head);
      const close = () => (client.destroy(), server.destroy());
      join(server, this.#rules.upgraded?.(close) ?? [], client);
      join(client, [], server);
    });
    far.end();
  }

  #send(request, agent) {
    const { method, url, headers } = request;
    return send({ ...this.#upstream, method, path: url, headers, agent });
  }

  #headersOf(from, request) {
    const pairs = pairsOf(from).filter(([name]) => !OWN_HEADERS.has(name.toLowerCase()));
    return this.#rules.headers?.(pairs, request) ?? pairs;
  }
}

/** @returns {[string, string][]} The headers as they came. */
function pairsOf({ rawHeaders }) {
  return Array.from({ length: rawHeaders.length / 2 }, (_, index) => [rawHeaders[2 * index], rawHeaders[2 * index + 1]]);
}

function headOf(status, pairs) {
  const lines = pairs.map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${status} ${status === 101 ? "Switching Protocols" : "-"}\r\n${lines.join("")}\r\n`;
}

/** Pipes through the filters. An end or an error on either side is passed on to the other. */
function join(source, filters, sink) {
  const all = [source, ...filters, sink];
  all.forEach((each, index) => {
    if (index > 0) all[index - 1].pipe(each);
    each.on("error", () => all.forEach((other) => other.destroy()));
  });
  source.on("close", () => source.readableEnded || sink.destroy());
  sink.on("close", () => source.destroy());
}
