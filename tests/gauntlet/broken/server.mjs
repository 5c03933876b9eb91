/** pet-store on the far machine, with pets that change by themselves, and that can be killed and started again. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Program } from "../rig/program.mjs";
import { BINARY, PETS, startPetStore, Subject } from "../rig/subject.mjs";
import { SERVER } from "./network.mjs";

const PORT = 3000;
const METRICS_PORT = 3001;

/** All pets once in so long: a change every tenth of a second. */
const ROUND = `${PETS / 10}s`;

export class Server {
  #network;
  #data;
  /** @type {Program} */
  #program;

  constructor(network, data) {
    this.#network = network;
    this.#data = data;
  }

  /** @param {import("./network.mjs").Network} network */
  static async open(network) {
    const data = await mkdtemp(join(tmpdir(), "pet-store-broken-"));
    // `serve` brings no pets of its own, and the demo listens to its own machine alone: so the pets come first.
    await (await startPetStore({ data })).stop();
    const server = new Server(network, data);
    await server.start();
    return server;
  }

  async start() {
    const addresses = ["--listen", `${SERVER}:${PORT}`, "--metrics-listen", `${SERVER}:${METRICS_PORT}`];
    const flags = ["--data", this.#data, "--simulate", ROUND];
    const [command, ...args] = this.#network.onServer(BINARY, "serve", ...addresses, ...flags);
    this.#program = new Program(command, args);
    await this.#program.says(/listening on/);
  }

  get subject() {
    const metrics = `http://${SERVER}:${METRICS_PORT}`;
    return new Subject(this.#program, `http://${SERVER}:${PORT}`, async () => {}, metrics);
  }

  /** @param {NodeJS.Signals} signal */
  signal(signal) {
    this.#program.signal(signal);
  }

  /** @param {NodeJS.Signals} [signal] */
  stop(signal) {
    return this.#program.stop(signal);
  }

  async close() {
    await this.stop();
    await rm(this.#data, { recursive: true, force: true });
  }
}
