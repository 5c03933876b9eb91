/**
 * A network that blocks traffic: a proxy between the browser and the program that refuses, strips or buffers like real
 * proxies. The page under test is unchanged.
 */
import { once } from "node:events";
import { createServer, request as forward } from "node:http";
import { connect } from "node:net";
import { BASE_PATH } from "./below.mjs";

/**
 * Rules for each type of traffic.
 * - `sockets`: "pass"; "refuse" answers 403; "strip" removes `Upgrade`, like a proxy for plain HTTP; "mute" passes the
 *   handshake and drops everything after it; "kill" closes them after a moment.
 * - `streams` (SSE), `polls` and `boards` (short polling): "pass"; "refuse" answers 403; "hold" passes the head and holds
 *   the body. For streams also "behind": passes each piece on when the next one comes. For polls also "cut": closes
 *   responses that take long.
 * - `assets`: "pass"; "fresh" forbids caching, so that each page requests its own; "portal" answers with its own page
 *   instead; "cut" sends the first half of each as if it were all; "busy" answers 503; "lose" closes the connection.
 * @typedef {{ sockets: string, streams: string, polls: string, boards: string, assets: string }} Rules
 */

/**
 * Rules under which only one transport works. On a busy machine the next one can win the race, which is correct, but not
 * what a test about the first one needs.
 * @type {Record<"ws" | "sse", Partial<Rules>>}
 */
export const ONLY = {
  ws: { streams: "hold", polls: "hold", boards: "hold" },
  sse: { sockets: "refuse", polls: "hold", boards: "hold" },
};

/** Lifetime of a killed socket. */
const KILL_MS = 300;

/** Time limit of responses under the rule "cut". */
const CUT_MS = 1000;

/** The end of a response head without keep-alive. */
const LAST = "Connection: close\r\n\r\n";

const PASS = { sockets: "pass", streams: "pass", polls: "pass", boards: "pass", assets: "pass" };

/**
 * @param {import("node:test").TestContext} t
 * @param {string} target  Origin of the program.
 * @param {Partial<Rules>} [rules]
 */
export async function startProxy(t, target, rules = {}) {
  const proxy = new Proxy(new URL(target), { ...PASS, ...rules });
  await proxy.start();
  t.after(() => proxy.stop());
  return proxy;
}

class Proxy {
  origin = "";
  /** Requested paths in order, without queries and nonces. Those of short polling end with "short". */
  asked = [];
  /** Number of preflights. */
  preflights = 0;
  /** @type {Map<string, string>} Additional pages at the program's origin: HTML by path. */
  pages = new Map();
  #target;
  #rules;
  #isCut = false;
  #isFrozen = false;
  #server = createServer();
  /** @type {Set<import("node:net").Socket>} */
  #sockets = new Set();
  /** @type {WeakSet<import("node:net").Socket>} */
  #dead = new WeakSet();

  constructor(target, rules) {
    this.#target = target;
    this.#rules = rules;
  }

  async start() {
    this.#server.on("connection", (socket) => this.#own(socket));
    this.#server.on("request", (request, response) => this.#pass(request, response));
    this.#server.on("upgrade", (request, socket, head) => this.#upgrade(request, socket, head));
    this.#server.listen(0, "127.0.0.1");
    await once(this.#server, "listening");
    this.origin = `http://127.0.0.1:${this.#server.address().port}${BASE_PATH}`;
  }

  stop() {
    this.cut();
    this.#server.close();
  }

  /** Closes every connection, and every new one immediately. */
  cut() {
    this.#isCut = true;
    for (const socket of this.#sockets) socket.destroy();
  }

  mend() {
    this.#isCut = false;
  }

  /** Connections stay open, but every byte on them is lost, also on new ones. */
  freeze() {
    this.#isFrozen = true;
    for (const socket of this.#sockets) this.#dead.add(socket);
  }

  /** New connections work again. The dead ones stay open and dead. */
  thaw() {
    this.#isFrozen = false;
  }

  /**
   * Changes the rules for new requests.
   * @param {Partial<Rules>} rules
   */
  let(rules) {
    Object.assign(this.#rules, rules);
  }

  #own(socket) {
    if (this.#isCut) return socket.destroy();
    this.#sockets.add(socket);
    if (this.#isFrozen) this.#dead.add(socket);
    socket.on("close", () => this.#sockets.delete(socket));
    socket.on("error", () => socket.destroy());
  }

  #ruleFor(path) {
    if (path === "/live/sse") return this.#rules.streams;
    if (path === "/live/poll") return this.#rules.polls;
    if (path === "/live/poll/short") return this.#rules.boards;
    return "pass";
  }

  #pass(request, response) {
    const path = this.#note(request);
    const { socket } = request;
    if (this.#dead.has(socket)) return;
    const page = this.pages.get(path);
    if (page !== undefined) return response.writeHead(200, { "content-type": "text/html" }).end(page);
    const rule = this.#ruleFor(path);
    if (rule === "refuse") return response.writeHead(403).end("not on this network");
    if (path.startsWith("/assets/") && this.#spoil(request, response)) return;
    const asking = this.#ask(request, request.headers, (answer) => {
      const isFresh = this.#rules.assets === "fresh" && path.startsWith("/assets/");
      response.writeHead(answer.statusCode, { ...answer.headers, ...(isFresh && { "cache-control": "no-store" }) });
      response.flushHeaders();
      let held = "";
      answer.on("data", (bytes) => {
        const now = { hold: "", behind: held }[rule] ?? bytes;
        held = bytes;
        if (!this.#dead.has(socket)) response.write(now);
      });
      answer.on("end", () => response.end());
      answer.on("error", () => response.destroy());
    });
    const cutting = rule === "cut" && setTimeout(() => response.destroy(), CUT_MS);
    asking.on("error", () => response.destroy());
    response.on("close", () => (clearTimeout(cutting), asking.destroy()));
    request.pipe(asking);
  }

  /** Answers a request for an asset in place of the program. Returns false if its answer is to be passed on. */
  #spoil(request, response) {
    switch (this.#rules.assets) {
      case "portal":
        return response.writeHead(200, { "content-type": "text/html" }).end("<h1>Please sign in</h1>");
      case "busy":
        return response.writeHead(503).end("busy");
      case "lose":
        return request.socket.destroy();
      case "cut":
        return this.#ask(request, { ...request.headers, "accept-encoding": "identity" }, async (answer) => {
          const whole = Buffer.concat(await answer.toArray());
          const half = whole.subarray(0, whole.length / 2);
          response.writeHead(answer.statusCode, { ...answer.headers, "content-length": half.length }).end(half);
        }).end();
      default:
        return false;
    }
  }

  #ask(request, headers, onanswer) {
    const { hostname, port } = this.#target;
    return forward({ hostname, port, method: request.method, path: request.url, headers, agent: false }, onanswer);
  }

  #upgrade(request, socket, head) {
    this.#note(request);
    if (this.#dead.has(socket)) return;
    const rule = this.#rules.sockets;
    if (rule === "refuse") return socket.end(`HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n${LAST}`);
    if (rule === "strip") return this.#strip(request, socket);
    const upstream = connect(Number(this.#target.port), this.#target.hostname);
    this.#own(upstream);
    const { rawHeaders } = request;
    const lines = [`${request.method} ${request.url} HTTP/1.1`];
    for (let i = 0; i < rawHeaders.length; i += 2) lines.push(`${rawHeaders[i]}: ${rawHeaders[i + 1]}`);
    upstream.write(`${lines.join("\r\n")}\r\n\r\n`);
    upstream.write(head);
    socket.on("data", (bytes) => !this.#dead.has(socket) && upstream.write(bytes));
    upstream.on("data", (bytes) => {
      if (rule === "mute") handshakeOnly(bytes, socket);
      else if (!this.#dead.has(socket)) socket.write(bytes);
    });
    upstream.on("close", () => socket.destroy());
    const killing = rule === "kill" && setTimeout(() => socket.destroy(), KILL_MS);
    socket.on("close", () => (clearTimeout(killing), upstream.destroy()));
  }

  /** Passes the response to the same request without `Upgrade` on. */
  #strip(request, socket) {
    const { upgrade: _upgrade, connection: _connection, ...headers } = request.headers;
    const asking = this.#ask(request, headers, (answer) => {
      socket.write(`HTTP/1.1 ${answer.statusCode} ${answer.statusMessage}\r\n${LAST}`);
      answer.pipe(socket);
    });
    asking.on("error", () => socket.destroy());
    asking.end();
  }

  #note(request) {
    if (request.method === "OPTIONS") this.preflights += 1;
    const { pathname, searchParams } = new URL(request.url, this.origin);
    const isShort = searchParams.get("transport") === "short";
    const path = pathname.slice(BASE_PATH.length).replace(/^\/live\/poll(\/.*)?$/, `/live/poll${isShort ? "/short" : ""}`);
    this.asked.push(path);
    return path;
  }
}

/** Passes the head of the 101 response on and drops what follows. */
function handshakeOnly(bytes, socket) {
  if (!bytes.toString("latin1").startsWith("HTTP/1.1 101")) return;
  socket.write(bytes.subarray(0, bytes.indexOf("\r\n\r\n") + 4));
}
