/**
 * A network of two machines that can be broken: this process is on the visitor's, in a network namespace of its own,
 * and the server on the other, at the far end of a cable.
 *
 * Nothing here touches the network of the real machine: `unshare --net` has to come first.
 */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { Program } from "../rig/program.mjs";

const run = promisify(execFile);

export const SERVER = "10.77.0.1";
const VISITOR = "10.77.0.2";
const VISITOR_ELSEWHERE = "10.77.0.3";

/** The visitor's end of the cable. */
const CABLE = "visitor";

/** The rules of a fault, at the visitor's end: one for what comes in, one for what goes out. */
const FAULT = (verdict) => `
  add table inet fault
  add chain inet fault in { type filter hook input priority 0; }
  add chain inet fault out { type filter hook output priority 0; }
  add rule inet fault in iifname "${CABLE}" ${verdict}
  add rule inet fault out oifname "${CABLE}" ${verdict}`;

export class Network {
  #holder;

  constructor(holder) {
    this.#holder = holder;
  }

  static async open() {
    await run("ip", ["link", "set", "lo", "up"]);
    // The other machine is a namespace too, which lasts as long as something lives in it.
    const holder = new Program("unshare", ["--net", "sh", "-c", "echo here; exec sleep infinity"]);
    await holder.says(/here/);
    const network = new Network(holder);
    await run("ip", ["link", "add", CABLE, "type", "veth", "peer", "name", "server", "netns", String(holder.pid)]);
    // No second address that comes some seconds later by itself: to a browser that is another network, in the middle
    // of whatever a case is about.
    await run("ip", ["link", "set", CABLE, "addrgenmode", "none"]);
    const [enter, ...args] = network.onServer("sh", "-c", `ip link set lo up
      ip addr add ${SERVER}/24 dev server
      ip link set server up`);
    await run(enter, args);
    await run("ip", ["addr", "add", `${VISITOR}/24`, "dev", CABLE]);
    await network.plugIn();
    return network;
  }

  /** A command as it has to be given to run on the server's machine. */
  onServer(...command) {
    return ["nsenter", "--net", "--target", String(this.#holder.pid), ...command];
  }

  close() {
    return this.#holder.stop();
  }

  /** The cable is out, and the visitor's machine knows it. */
  async unplug() {
    await run("ip", ["link", "set", CABLE, "down"]);
  }

  async plugIn() {
    await run("ip", ["link", "set", CABLE, "up"]);
    // Goes with the cable. Browsers take a machine without a way out for one that is offline.
    await run("ip", ["route", "replace", "default", "via", SERVER]);
  }

  /** Everything is lost, and nobody is told. */
  async swallow() {
    await run("nft", [FAULT("drop")]);
  }

  /** So much is lost, in each direction. */
  async lose(percent) {
    await run("nft", [FAULT(`numgen random mod 100 < ${percent} drop`)]);
  }

  async heal() {
    await run("nft", ["delete table inet fault"]);
  }

  /** The visitor is in another network: under another address, and with every connection dead that it had. */
  async move() {
    // The other way round the new address would count as a second one of the old, and go with it.
    await run("ip", ["addr", "del", `${VISITOR}/24`, "dev", CABLE]);
    await run("ip", ["addr", "add", `${VISITOR_ELSEWHERE}/24`, "dev", CABLE]);
    await run("ip", ["route", "replace", "default", "via", SERVER]);
  }
}
