/**
 * Programs that the gauntlet starts: in the foreground, with a folder of their own, and stopped by their own id.
 *
 * A program is the leader of a process group, so that what it starts in turn (workers, renderers) goes with it, also
 * when this process is told to end.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { connect } from "node:net";
import { createInterface } from "node:readline";
import { setTimeout as pause } from "node:timers/promises";

/** Far more than anything takes on a busy machine. */
const START_LIMIT_MS = 20_000;

/** After this long a program that was asked to stop is made to. */
const STOP_LIMIT_MS = 3_000;

const ASK_AGAIN_MS = 20;

/** Lines kept for the error message of a program that did not start. */
const KEPT_LINES = 20;

/** @type {Set<Program>} */
const running = new Set();

process.on("exit", () => {
  for (const program of running) program.signal("SIGTERM");
});
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => process.exit(1));

export class Program {
  #child;
  #name;
  /** @type {string[]} */
  #said = [];
  /** @type {Set<(line: string) => void>} */
  #listeners = new Set();

  /**
   * @param {string} command
   * @param {string[]} args
   * @param {import("node:child_process").SpawnOptions} [options]
   */
  constructor(command, args, options = {}) {
    this.#name = [command, ...args].join(" ");
    this.#child = spawn(command, args, { ...options, detached: true, stdio: ["ignore", "pipe", "pipe"] });
    running.add(this);
    this.#child.once("error", (error) => this.#hear(String(error)));
    this.#child.once("exit", () => running.delete(this));
    // Read to the end also when nobody listens: a full pipe would stop the program.
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      createInterface({ input: stream }).on("line", (line) => this.#hear(line));
    }
  }

  get pid() {
    return this.#child.pid;
  }

  get isRunning() {
    return this.#child.pid !== undefined && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /**
   * The first line that the program says and the pattern fits, whether already said or still to come.
   * @param {RegExp} pattern
   * @param {number} [limitMs]
   * @returns {Promise<RegExpExecArray>}
   */
  says(pattern, limitMs) {
    return this.until(
      new Promise((resolve) => {
        const listen = (line) => {
          const heard = pattern.exec(line);
          if (heard) resolve(heard);
        };
        this.#said.forEach(listen);
        this.#listeners.add(listen);
      }),
      limitMs,
    );
  }

  /** Waits until something accepts connections on this port of this machine. */
  accepts(port) {
    return this.until(this.#connects(port));
  }

  /**
   * Waits for a sign that it is ready; fails with what it said when it ends first, or takes too long.
   * @template T
   * @param {Promise<T>} sign
   * @param {number} [limitMs]
   * @returns {Promise<T>}
   */
  async until(sign, limitMs = START_LIMIT_MS) {
    let timer;
    const failed = (how) => new Error(`${this.#name} ${how}:\n${this.#said.join("\n")}`);
    const limit = new Promise((_resolve, reject) => {
      timer = setTimeout(() => reject(failed("was not ready in time")), limitMs);
      // After the last line, which says why. A program that is not there has no exit, but an error.
      this.#child.once("close", () => reject(failed("ended")));
    });
    try {
      return await Promise.race([sign, limit]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** @param {NodeJS.Signals} signal  For the program and all that it started. */
  signal(signal) {
    if (!this.isRunning) return;
    try {
      process.kill(-this.#child.pid, signal);
    } catch {
      // It ended between the question and the signal.
    }
  }

  /** Waits for an end that it comes to by itself, soon. */
  async ends() {
    if (this.isRunning) await once(this.#child, "exit");
  }

  /** @param {NodeJS.Signals} [signal] */
  async stop(signal = "SIGTERM") {
    if (!this.isRunning) return;
    const ended = once(this.#child, "exit");
    this.signal(signal);
    const timer = setTimeout(() => this.signal("SIGKILL"), STOP_LIMIT_MS);
    await ended;
    clearTimeout(timer);
  }

  async #connects(port) {
    while (this.isRunning) {
      const socket = connect(port, "127.0.0.1");
      try {
        return await once(socket, "connect");
      } catch {
        await pause(ASK_AGAIN_MS);
      } finally {
        socket.destroy();
      }
    }
    // What it said last is still to be read, and says why: that is the error.
    return new Promise(() => {});
  }

  #hear(line) {
    this.#said.push(line);
    if (this.#said.length > KEPT_LINES) this.#said.shift();
    for (const listen of this.#listeners) listen(line);
  }
}
