/**
 * A slow network between browser and box: a TCP relay that delays and throttles each direction.
 *
 * The round trip is split into halves, one for each direction. All connections share the bandwidth of a direction, packet by
 * packet and in turn, as flows share a link. Opening a connection costs one round trip, as the handshake of TCP does. Slow
 * start and loss are left out.
 */
import { once } from "node:events";
import { connect, createServer } from "node:net";
import { freePort } from "../support/ports.mjs";

/** The payload of an Ethernet packet. */
const PACKET_BYTES = 1_448;

/** Bytes of a connection that are read ahead: the receive window. */
const WINDOW_BYTES = 64 * 1024;

/**
 * @typedef {object} Shape
 * @property {number} [roundTripMs]
 * @property {number} [bitsPerSecond]  In each direction.
 */

/**
 * Puts a slow network in front of a route.
 * @param {import("../support/box.mjs").Route} route
 * @param {Shape} shape
 * @returns {Promise<import("../support/box.mjs").Route>} Its `stop` also stops the route behind it.
 */
export async function overLink(route, shape) {
  const { protocol, host } = new URL(route.origin);
  const link = await startLink(route.proxy ?? host, shape);
  const stop = async () => (await link.stop(), await route.stop());
  return route.proxy ? { ...route, proxy: link.address, stop } : { origin: `${protocol}//${link.address}`, stop };
}

/**
 * @param {string} upstream  Host and port.
 * @param {Shape} shape
 */
export async function startLink(upstream, { roundTripMs = 0, bitsPerSecond = Infinity }) {
  const { hostname, port: upstreamPort } = new URL(`http://${upstream}`);
  const [up, down] = [new Direction(roundTripMs / 2, bitsPerSecond), new Direction(roundTripMs / 2, bitsPerSecond)];
  const open = new Set();
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
    const far = connect({ host: hostname, port: Number(upstreamPort), allowHalfOpen: true, noDelay: true });
    for (const socket of [client, far]) {
      open.add(socket);
      socket.on("close", () => open.delete(socket));
    }
    up.carry(client, far, performance.now() + roundTripMs);
    down.carry(far, client, 0);
  });
  const port = await freePort();
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  const stop = async () => {
    server.close();
    for (const socket of open) socket.destroy();
  };
  return { address: `127.0.0.1:${port}`, stop };
}

/** One direction of the network. */
class Direction {
  #delayMs;
  #bytesPerMs;
  /** @type {Flow[]} Those with waiting packets, the next one first. */
  #flows = [];
  /** When the last packet has left. */
  #freeAtMs = 0;
  #isBusy = false;
  /** @type {NodeJS.Timeout | undefined} */
  #timer;

  constructor(delayMs, bitsPerSecond) {
    this.#delayMs = delayMs;
    this.#bytesPerMs = bitsPerSecond / 8_000;
  }

  /**
   * @param {import("node:net").Socket} source
   * @param {import("node:net").Socket} sink
   * @param {number} fromMs  When the connection is open.
   */
  carry(source, sink, fromMs) {
    const flow = new Flow(source, sink, fromMs, () => {
      if (!this.#flows.includes(flow)) this.#flows.push(flow);
      this.#send();
    });
  }

  #send() {
    if (this.#timer) return;
    for (;;) {
      const nowMs = performance.now();
      if (this.#isBusy && this.#freeAtMs > nowMs) return this.#wait(this.#freeAtMs - nowMs);
      const index = this.#flows.findIndex(({ fromMs }) => fromMs <= nowMs);
      if (index < 0) {
        this.#isBusy = false;
        if (this.#flows.length > 0) this.#wait(Math.min(...this.#flows.map(({ fromMs }) => fromMs)) - nowMs);
        return;
      }
      const [flow] = this.#flows.splice(index, 1);
      const packet = flow.waiting.shift();
      if (flow.waiting.length > 0) this.#flows.push(flow);
      // A timer that is late delays no packet but its own.
      const startMs = this.#isBusy ? this.#freeAtMs : nowMs;
      this.#freeAtMs = startMs + packet.bytes / this.#bytesPerMs;
      this.#isBusy = true;
      flow.deliver(packet, this.#freeAtMs + this.#delayMs);
    }
  }

  #wait(ms) {
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#send();
    }, ms);
  }
}

/** One direction of one connection. */
class Flow {
  /** @type {{ bytes: number, act: () => void }[]} Packets that have not left. */
  waiting = [];
  /** @type {{ bytes: number, act: () => void, atMs: number }[]} Packets that have not arrived. */
  #travelling = [];
  #queuedBytes = 0;
  #source;
  /** @type {NodeJS.Timeout | undefined} */
  #timer;

  constructor(source, sink, fromMs, onwaiting) {
    this.#source = source;
    this.fromMs = fromMs;
    const add = (bytes, act) => {
      this.waiting.push({ bytes, act });
      this.#queuedBytes += bytes;
      onwaiting();
    };
    source.on("data", (data) => {
      for (let at = 0; at < data.length; at += PACKET_BYTES) {
        const piece = data.subarray(at, at + PACKET_BYTES);
        add(piece.length, () => sink.writable && sink.write(piece));
      }
      if (this.#queuedBytes > WINDOW_BYTES) source.pause();
    });
    source.on("end", () => add(0, () => sink.end()));
    source.on("error", () => {});
    source.on("close", () => add(0, () => sink.destroySoon()));
  }

  deliver(packet, atMs) {
    this.#travelling.push({ ...packet, atMs });
    this.#arrive();
  }

  #arrive() {
    if (this.#timer) return;
    for (let next = this.#travelling[0]; next; next = this.#travelling[0]) {
      const inMs = next.atMs - performance.now();
      if (inMs > 0) {
        this.#timer = setTimeout(() => {
          this.#timer = undefined;
          this.#arrive();
        }, inMs);
        return;
      }
      this.#travelling.shift();
      this.#queuedBytes -= next.bytes;
      next.act();
    }
    if (this.#source.isPaused() && this.#queuedBytes < WINDOW_BYTES / 2) this.#source.resume();
  }
}
