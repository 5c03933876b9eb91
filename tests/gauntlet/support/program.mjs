/**
 * Programs that the gauntlet starts: in the foreground, each in its own folder.
 *
 * A program leads a process group, so that its children (workers, renderers) are stopped with it, also when this process
 * gets a signal.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { connect } from "node:net";
import { createInterface } from "node:readline";
import { setTimeout as pause } from "node:timers/promises";

/** Far more than any program takes on a busy machine. */
const START_LIMIT_MS = 20_000;

/** Time between SIGTERM and SIGKILL. */
const STOP_LIMIT_MS = 3_000;

const RETRY_MS = 20;

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
  #lines = [];
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
    this.#child.once("error", (error) => this.#receive(String(error)));
    this.#child.once("exit", () => running.delete(this));
    // Read to the end, because a full pipe would block the program.
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      createInterface({ input: stream }).on("line", (line) => this.#receive(line));
    }
  }

  get pid() {
    return this.#child.pid;
  }

  get isRunning() {
    return this.#child.pid !== undefined && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /**
   * Waits for the first line of its output that matches the pattern.
   * @param {RegExp} pattern
   * @param {number} [limitMs]
   * @returns {Promise<RegExpExecArray>}
   */
  says(pattern, limitMs) {
    return this.until(
      new Promise((resolve) => {
        const listen = (line) => {
          const match = pattern.exec(line);
          if (match) resolve(match);
        };
        this.#lines.forEach(listen);
        this.#listeners.add(listen);
      }),
      limitMs,
    );
  }

  /** Waits until something accepts connections on this port. */
  accepts(port) {
    return this.until(this.#connects(port));
  }

  /**
   * Waits until the program is ready. Fails with its last output if it ends first, or takes too long.
   * @template T
   * @param {Promise<T>} sign
   * @param {number} [limitMs]
   * @returns {Promise<T>}
   */
  async until(sign, limitMs = START_LIMIT_MS) {
    let timer;
    const failed = (how) => new Error(`${this.#name} ${how}:\n${this.#lines.join("\n")}`);
    const limit = new Promise((_resolve, reject) => {
      timer = setTimeout(() => reject(failed("was not ready in time")), limitMs);
      // "close" comes after the last line, and also for a program that does not exist.
      this.#child.once("close", () => reject(failed("ended")));
    });
    try {
      return await Promise.race([sign, limit]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** @param {NodeJS.Signals} signal  For the program and its children. */
  signal(signal) {
    if (!this.isRunning) return;
    try {
      process.kill(-this.#child.pid, signal);
    } catch {
      // It ended between the check and the signal.
    }
  }

  /** Waits until it ends by itself. */
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
        await pause(RETRY_MS);
      } finally {
        socket.destroy();
      }
    }
    // `until` fails with the last output of the program.
    return new Promise(() => {});
  }

  #receive(line) {
    this.#lines.push(line);
    if (this.#lines.length > KEPT_LINES) this.#lines.shift();
    for (const listen of this.#listeners) listen(line);
  }
}
