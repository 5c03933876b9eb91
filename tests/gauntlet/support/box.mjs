/**
 * Starts a middlebox: with its own folder and port, a configuration for both, and the program in the foreground.
 */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { freePort } from "./ports.mjs";
import { Program } from "./program.mjs";

const GUIDE = new URL("../../../docs/networks/", import.meta.url);

/**
 * A route to the subject.
 * @typedef {object} Route
 * @property {string} origin  The address for the browser.
 * @property {string} [proxy]  Host and port of a forward proxy.
 * @property {() => Promise<void>} stop
 */

/**
 * @typedef {object} Place
 * @property {string} folder  Readable and writable by every user: some programs change their user.
 * @property {number} port  The port to listen on, on 127.0.0.1.
 * @property {string} upstream  Host and port to forward to.
 */

/**
 * @param {string} upstream
 * @param {(place: Place) => Promise<string[]>} configure  Writes the configuration, and returns the command.
 * @param {{ scheme?: "http" | "https", env?: Record<string, string> }} [options]
 * @returns {Promise<Route & { address: string }>}
 */
export async function startBox(upstream, configure, { scheme = "http", env = {} } = {}) {
  const folder = await mkdtemp(join(tmpdir(), "pet-store-box-"));
  await chmod(folder, 0o777);
  const port = await freePort();
  const [command, ...args] = await configure({ folder, port, upstream });
  const program = new Program(command, args, { cwd: folder, env: { ...process.env, HOME: folder, ...env } });
  const stop = async () => {
    await program.stop();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await program.accepts(port);
  } catch (error) {
    await stop();
    throw error;
  }
  const address = `127.0.0.1:${port}`;
  return { origin: `${scheme}://${address}`, address, stop };
}

/** @returns {Promise<string>} The path of a new file in the folder. */
export async function write(folder, name, text) {
  const path = join(folder, name);
  await writeFile(path, text);
  return path;
}

/**
 * Returns a configuration file of the guide, with its example addresses replaced.
 * @param {string} name
 * @param {Record<string, string>} instead  Replacements by the text in the file, which must be there.
 */
export async function documented(name, instead) {
  let text = await readFile(new URL(name, GUIDE), "utf8");
  for (const [old, replacement] of Object.entries(instead)) {
    assert.ok(text.includes(old), `docs/networks/${name} has no ${old}`);
    text = text.replaceAll(old, replacement);
  }
  return text;
}

/** Creates a self-signed certificate for 127.0.0.1. @returns {Promise<{ key: string, cert: string }>} Paths. */
export async function makeCertificate(folder) {
  const [key, cert] = [join(folder, "key.pem"), join(folder, "cert.pem")];
  const subject = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"];
  const kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"];
  await promisify(execFile)("openssl", ["req", "-x509", ...kind, ...subject, "-keyout", key, "-out", cert]);
  return { key, cert };
}
