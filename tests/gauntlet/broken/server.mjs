/** pet-store on the far machine, with the simulator; it can be killed and restarted. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Program } from "../support/program.mjs";
import { BINARY, PETS, startDemo, Subject } from "../support/subject.mjs";
import { SERVER } from "./network.mjs";

const PORT = 3000;
const METRICS_PORT = 3001;

/** Time for one change of every pet: a change every tenth of a second. */
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
    // `serve` has no sample pets, and the demo listens on loopback only: so the demo creates the pets first.
    await (await startDemo({ data })).stop();
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
    return new Subject(this.#program, `http://${SERVER}:${PORT}`, { metricsOrigin: metrics });
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
