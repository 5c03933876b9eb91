/**
 * A network that does not let everything through: a proxy between the browser and the program that refuses,
 * strips or holds back what real ones do. The page under test is not touched.
 */
import { once } from "node:events";
import { createServer, request as forward } from "node:http";
import { connect } from "node:net";

/**
 * What becomes of each kind of traffic.
 * - `sockets`: "pass"; "refuse" answers 403; "strip" asks the program without `Upgrade`, as proxies do that speak
 *   plain HTTP only; "mute" lets the handshake through and no byte after it; "kill" lets them live for a moment.
 * - `streams` (SSE), `polls` and `boards` (short poll): "pass"; "refuse" answers 403; "hold" passes the head and keeps
 *   every byte of the body. For streams also "behind": passes on what came only when more comes. For polls also "cut":
 *   no answer may take long.
 * - `assets`: "pass"; "fresh" forbids the browser to cache them, so that each page asks for its own; "portal"
 *   answers with a page of its own, in place of all but the loader.
 * - `module`, one of the page's modules: "pass"; "lose" breaks off every connection that asks for it.
 * @typedef {{ sockets: string, streams: string, polls: string, boards: string, assets: string, module: string }} Rules
 */

/**
 * Rules under which nothing but the one transport delivers. On a machine that is busy enough the next one overtakes
 * it, which is right, and no help to a test about the first.
 * @type {Record<"ws" | "sse", Partial<Rules>>}
 */
export const ONLY = {
  ws: { streams: "hold", polls: "hold", boards: "hold" },
  sse: { sockets: "refuse", polls: "hold", boards: "hold" },
};

/** How long a killed socket lives. */
const KILL_MS = 300;

/** How long an answer may take where long ones are cut. */
const CUT_MS = 1000;

/** The end of a head after whose body the connection is closed. */
const LAST = "Connection: close\r\n\r\n";

const PASS = { sockets: "pass", streams: "pass", polls: "pass", boards: "pass", assets: "pass", module: "pass" };

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
  /** Paths asked for, without their queries, in order. */
  asked = [];
  /** @type {Map<string, string>} Pages of the test's own at the program's origin: HTML by path. */
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
    this.origin = `http://127.0.0.1:${this.#server.address().port}`;
  }

  stop() {
    this.cut();
    this.#server.close();
  }

  /** Ends every connection, and every new one at once: the cable is out. */
  cut() {
    this.#isCut = true;
    for (const socket of this.#sockets) socket.destroy();
  }

  mend() {
    this.#isCut = false;
  }

  /** Connections die without saying so: they stay open, and every byte on them is lost. New ones are no better. */
  freeze() {
    this.#isFrozen = true;
    for (const socket of this.#sockets) this.#dead.add(socket);
  }

  /** New connections work again. The dead ones stay dead, and still do not say so. */
  thaw() {
    this.#isFrozen = false;
  }

  /**
   * Other rules for what comes from now on.
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
    if (path === "/live/state") return this.#rules.boards;
    if (path.endsWith("/state/board.js")) return this.#rules.module;
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
    const isPortal = this.#rules.assets === "portal" && path.startsWith("/assets/") && !path.endsWith("/loader.js");
    if (isPortal) return response.writeHead(200, { "content-type": "text/html" }).end("<h1>Please sign in</h1>");
    if (rule === "lose") return socket.destroy();
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

  /** The answer to the same question without `Upgrade`, given back as it is. */
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
    const { pathname } = new URL(request.url, this.origin);
    this.asked.push(pathname);
    return pathname;
  }
}

/** Passes the head of the `101` answer on and drops what comes behind it. */
function handshakeOnly(bytes, socket) {
  if (!bytes.toString("latin1").startsWith("HTTP/1.1 101")) return;
  socket.write(bytes.subarray(0, bytes.indexOf("\r\n\r\n") + 4));
}
