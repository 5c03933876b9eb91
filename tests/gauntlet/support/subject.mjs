/**
 * The program under test: it serves a page of pets and keeps a history of their changes.
 *
 * There are two, pet-store and a server with Socket.IO that has the same API, so that feed, recorder and ledger work for
 * both.
 */
import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Program } from "./program.mjs";
import { createToken } from "./staff.mjs";

export const BINARY = process.env.PET_STORE_BIN ?? fileURLToPath(new URL("../../../target/debug/pet-store", import.meta.url));
const SOCKET_IO = fileURLToPath(new URL("../socketio/server.mjs", import.meta.url));

export const PETS = 20;

/** Changes per request of the API. */
const PAGE = 100;

/** @typedef {{ rev: number, pet: number, status: string }} Fact  A committed status. */

/** Starts each subject. Both serve the same HTML and stylesheet. */
export const SUBJECTS = {
  "pet-store": () => startForVisitors(PETS),
  "socket.io": () => startSocketIoOnSamePage(PETS),
};

/**
 * Starts the demo with its own data folder and without the simulator. Everyone on this machine is staff.
 * @param {Record<string, string | number>} [flags]
 */
export async function startDemo(flags = {}) {
  const data = await newFolder();
  const all = { listen: "127.0.0.1:0", data, simulate: "off", seed: 1, pets: PETS, ...flags };
  return Subject.start(BINARY, ["demo", ...flagsOf(all)], { clean: () => rm(data, { recursive: true, force: true }) });
}

/**
 * Starts pet-store as visitors see it: only a token can change anything.
 * @param {number} pets
 * @param {Record<string, string | number>} [flags]
 */
export async function startForVisitors(pets, flags = {}) {
  stores[pets] ??= createStore(pets);
  const { folder, token } = await stores[pets];
  const data = await newFolder();
  await cp(folder, data, { recursive: true });
  const args = ["serve", ...flagsOf({ ...UNLIMITED, data, ...flags })];
  return Subject.start(BINARY, args, { token, clean: () => rm(data, { recursive: true, force: true }) });
}

/**
 * Stores with sample pets and a token, by the number of pets: a password takes a debug build a while.
 * @type {Record<number, Promise<{ folder: string, token: string }>>}
 */
const stores = {};

const UNLIMITED = { listen: "127.0.0.1:0", "max-writes-per-second": 100_000 };

async function createStore(pets) {
  const folder = await newFolder();
  process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
  // `serve` has no sample pets, so the demo creates them first.
  await (await startDemo({ data: folder, pets })).stop();
  const program = new Program(BINARY, ["serve", ...flagsOf({ ...UNLIMITED, data: folder })]);
  const [invitation] = await program.says(/http:\/\/[^ ]+\/welcome\/[^ "]+/);
  const token = await createToken(invitation);
  await program.stop();
  return { folder, token };
}

const newFolder = () => mkdtemp(join(tmpdir(), "pet-store-gauntlet-"));

/**
 * Starts the Socket.IO server.
 * @param {number} pets
 * @param {string[]} [copied]  The origin of a running pet-store, whose pages it serves instead of its own.
 */
export function startSocketIo(pets, ...copied) {
  return Subject.start(process.execPath, [SOCKET_IO, String(pets), ...copied]);
}

/** Starts the Socket.IO server with the pages of pet-store. @param {number} pets */
export async function startSocketIoOnSamePage(pets) {
  const original = await startForVisitors(pets);
  try {
    return await startSocketIo(pets, original.origin);
  } finally {
    await original.stop();
  }
}

const flagsOf = (flags) => Object.entries(flags).flatMap(([name, value]) => [`--${name}`, String(value)]);

export class Subject {
  #program;
  #clean;
  #metricsOrigin;
  #token;

  /**
   * @param {Program} program
   * @param {string} origin  Its address without a proxy.
   * @param {object} [options]
   * @param {() => Promise<void>} [options.clean]
   * @param {string} [options.token]  For changes.
   * @param {string} [options.metricsOrigin]  The address of `/metrics`, if it is another one.
   */
  constructor(program, origin, { clean = async () => {}, token, metricsOrigin = origin } = {}) {
    this.#program = program;
    this.origin = origin;
    this.#clean = clean;
    this.#token = token;
    this.#metricsOrigin = metricsOrigin;
  }

  /**
   * @param {string} command
   * @param {string[]} args
   * @param {ConstructorParameters<typeof Subject>[2]} [options]
   */
  static async start(command, args, options) {
    const program = new Program(command, args);
    const [, origin] = await program.says(/listening on (http:\/\/\S+)/);
    return new Subject(program, origin, options);
  }

  /** Host and port, as in the configuration of a proxy. */
  get address() {
    return new URL(this.origin).host;
  }

  async stop() {
    await this.#program.stop();
    await this.#clean();
  }

  /** @returns {Promise<any>} */
  async #ask(method, path, body) {
    const headers = { "content-type": "application/json", ...(this.#token ? { authorization: `Bearer ${this.#token}` } : {}) };
    const answer = await fetch(this.origin + path, { method, headers, body: body && JSON.stringify(body) });
    assert.ok(answer.ok, `${method} ${path}: ${answer.status}`);
    return answer.json();
  }

  /** @returns {Promise<number>} The rev of the change, once it is committed. */
  async setStatus(pet, status) {
    return revOf((await this.#ask("PUT", `/api/v1/pets/${pet}/status`, { status })).cursor);
  }

  /** Edits the description of a pet. @returns {Promise<number>} The rev of the change, once it is committed. */
  async describe(pet, about) {
    return revOf((await this.#ask("PATCH", `/api/v1/pets/${pet}`, { about })).cursor);
  }

  /** @returns {Promise<{ rev: number, pets: number[], statuses: Record<string, string> }>} The current rev, and all pets. */
  async board() {
    const { cursor, pets } = await this.#ask("GET", "/live/state");
    const statuses = Object.fromEntries(pets.map(({ id, status }) => [id, status]));
    return { rev: revOf(cursor), pets: pets.map(({ id }) => id), statuses };
  }

  /**
   * Returns everything committed after `rev`, in order.
   * @returns {Promise<Fact[]>}
   */
  async history(rev) {
    const { pets } = await this.board();
    const facts = await Promise.all(pets.map((pet) => this.#historyOf(pet, rev)));
    return facts.flat().sort((one, other) => one.rev - other.rev);
  }

  async #historyOf(pet, after) {
    const facts = [];
    for (let before = "", isMore = true; isMore; ) {
      const { changes } = await this.#ask("GET", `/api/v1/pets/${pet}/changes?limit=${PAGE}${before}`);
      facts.push(...changes.map(({ cursor, status }) => ({ rev: revOf(cursor), pet, status })));
      const oldest = facts.at(-1)?.rev ?? 0;
      before = `&before=${oldest}`;
      isMore = changes.length === PAGE && oldest > after;
    }
    return facts.filter(({ rev }) => rev > after);
  }

  /**
   * Returns a value from `/metrics`.
   * @param {string} name  With its labels.
   */
  async metric(name) {
    const text = await (await fetch(`${this.#metricsOrigin}/metrics`)).text();
    const line = text.split("\n").find((line) => line.startsWith(`${name} `));
    assert.ok(line, `/metrics has no ${name}`);
    return Number(line.slice(name.length));
  }
}

/** @param {string} cursor  `<epoch>-<rev>` */
export const revOf = (cursor) => Number(cursor.slice(cursor.indexOf("-") + 1));
