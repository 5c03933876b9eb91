/**
 * The same board with Socket.IO and its defaults: a page of pets, changes for every client, and a snapshot on each
 * connection, as its documentation recommends.
 *
 *   node server.mjs PETS [ORIGIN]
 *
 * With the origin of a running pet-store, it copies the pages of that server and serves them instead of its own.
 *
 * It has the part of pet-store's API that the gauntlet uses: the board, the history of a pet, and a new status. Nothing is
 * stored on disk.
 */
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { Server } from "socket.io";
import { CopiedSite } from "./copied-site.mjs";

const EPOCH = "50c4e710";

const pets = Number(process.argv[2]);
const copied = process.argv[3] ? await CopiedSite.copy(process.argv[3], ["/pets", "/pets/1"]) : null;
const template = await readFile(new URL("page.html", import.meta.url), "utf8");

/** @type {{ cursor: string, type: "status", pet: number, status: string, since: string }[]} Oldest first. */
const changes = [];
/** @type {Map<number, { id: number, name: string, status: string, since: string }>} */
const board = new Map();
for (let id = 1; id <= pets; id += 1) board.set(id, { id, name: `Pet ${id}`, status: "sleeping", since: now() });

/** RFC 3339 with microseconds, as in pet-store. */
function now() {
  const micros = Math.round((performance.timeOrigin + performance.now()) * 1000);
  return new Date(Math.floor(micros / 1000)).toISOString().replace("Z", `${String(micros % 1000).padStart(3, "0")}Z`);
}

const cursor = () => `${EPOCH}-${changes.length}`;
const snapshot = (pet) => ({ type: "snapshot", cursor: cursor(), pets: pet ? [board.get(Number(pet))] : [...board.values()] });

function setStatus(pet, status) {
  const since = now();
  Object.assign(board.get(pet), { status, since });
  const change = { type: "status", cursor: `${EPOCH}-${changes.length + 1}`, pet, status, since };
  changes.push(change);
  io.to(["all", String(pet)]).emit("change", change);
  return { cursor: change.cursor };
}

function historyOf(pet, query) {
  const before = Number(query.get("before") ?? Infinity);
  const older = changes.slice(0, Math.min(changes.length, before - 1)).filter((change) => change.pet === pet);
  return { changes: older.reverse().slice(0, Number(query.get("limit"))) };
}

function page() {
  const cards = [...board.values()].map(
    ({ id, name, status }) => `<li data-pet="${id}" data-status="${status}">${name}: <span>${status}</span></li>`,
  );
  return template.replace("{{ cursor }}", cursor()).replace("{{ cards }}", cards.join("\n"));
}

async function answer(request, response) {
  const { pathname, searchParams } = new URL(request.url, "http://127.0.0.1");
  const pet = Number(/^\/api\/v1\/pets\/(\d+)\//.exec(pathname)?.[1]);
  const json = (value) => response.setHeader("content-type", "application/json").end(JSON.stringify(value));
  if (copied?.answer(request, response, { cursor: cursor(), board })) return undefined;
  if (pathname === "/pets") return response.setHeader("content-type", "text/html; charset=utf-8").end(page());
  if (pathname === "/live/state") return json(snapshot());
  if (pathname.endsWith("/changes")) return json(historyOf(pet, searchParams));
  // For the health checks of proxies.
  if (pathname === "/readyz") return response.end("ready");
  // It never merges changes: it queues them.
  if (pathname === "/metrics") return response.end("petstore_resyncs_total 0\n");
  if (request.method === "PUT") return json(setStatus(pet, (await bodyOf(request)).status));
  response.writeHead(404).end();
}

async function bodyOf(request) {
  const pieces = [];
  for await (const piece of request) pieces.push(piece);
  return JSON.parse(Buffer.concat(pieces).toString());
}

const server = createServer(answer);
// The copied pages load a client that is compressed once, and not for each response.
const io = new Server(server, { serveClient: !copied });
io.on("connection", (socket) => {
  const { pet } = socket.handshake.query;
  socket.join(pet ?? "all");
  socket.emit("change", snapshot(pet));
});
server.listen(0, "127.0.0.1", () => console.log(`listening on http://127.0.0.1:${server.address().port}`));
