/**
 * A network of two machines that can be broken. This process is on the visitor's machine, a network namespace; the server is
 * on the other one, at the far end of a virtual cable.
 *
 * This needs `unshare --net`, so that nothing touches the network of the real machine.
 */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { Program } from "../support/program.mjs";

const run = promisify(execFile);

export const SERVER = "10.77.0.1";
const VISITOR = "10.77.0.2";
const VISITOR_ELSEWHERE = "10.77.0.3";

/** The visitor's end of the cable. */
const CABLE = "visitor";

/** Firewall rules of a fault, at the visitor's end, for both directions. */
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
    // The other machine is a namespace too, which lasts as long as a process runs in it.
    const holder = new Program("unshare", ["--net", "sh", "-c", "echo here; exec sleep infinity"]);
    await holder.says(/here/);
    const network = new Network(holder);
    await run("ip", ["link", "add", CABLE, "type", "veth", "peer", "name", "server", "netns", String(holder.pid)]);
    // No automatic second address after some seconds: to a browser that would be a change of the network.
    await run("ip", ["link", "set", CABLE, "addrgenmode", "none"]);
    const [enter, ...args] = network.onServer("sh", "-c", `ip link set lo up
      ip addr add ${SERVER}/24 dev server
      ip link set server up`);
    await run(enter, args);
    await run("ip", ["addr", "add", `${VISITOR}/24`, "dev", CABLE]);
    await network.plugIn();
    return network;
  }

  /** Returns a command that runs on the server's machine. */
  onServer(...command) {
    return ["nsenter", "--net", "--target", String(this.#holder.pid), ...command];
  }

  close() {
    return this.#holder.stop();
  }

  /** Disconnects the cable, which the visitor's machine detects. */
  async unplug() {
    await run("ip", ["link", "set", CABLE, "down"]);
  }

  async plugIn() {
    await run("ip", ["link", "set", CABLE, "up"]);
    // The route is lost with the cable. Without a default route browsers are offline.
    await run("ip", ["route", "replace", "default", "via", SERVER]);
  }

  /** Drops every packet silently. */
  async swallow() {
    await run("nft", [FAULT("drop")]);
  }

  /** Drops this percentage of packets, in each direction. */
  async lose(percent) {
    await run("nft", [FAULT(`numgen random mod 100 < ${percent} drop`)]);
  }

  async heal() {
    await run("nft", ["delete table inet fault"]);
  }

  /** Moves the visitor to another network: another address, and all connections dead. */
  async move() {
    // In the other order the new address would be a secondary one, and be removed with the old one.
    await run("ip", ["addr", "del", `${VISITOR}/24`, "dev", CABLE]);
    await run("ip", ["addr", "add", `${VISITOR_ELSEWHERE}/24`, "dev", CABLE]);
    await run("ip", ["route", "replace", "default", "via", SERVER]);
  }
}
