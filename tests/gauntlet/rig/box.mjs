/**
 * How every box is started: a folder and a port of its own, a configuration that is written for the two, and the
 * program in the foreground.
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
 * A way to the subject.
 * @typedef {object} Route
 * @property {string} origin  What the browser is sent to.
 * @property {string} [proxy]  Host and port of the forward proxy that the browser has to use.
 * @property {() => Promise<void>} stop
 */

/**
 * @typedef {object} Place
 * @property {string} folder  Readable and writable by everybody: some boxes change to a user of their own.
 * @property {number} port  On which the box has to listen, on 127.0.0.1.
 * @property {string} upstream  Host and port that it leads to.
 */

/**
 * @param {string} upstream
 * @param {(place: Place) => Promise<string[]>} configure  Writes what the box needs, and says how it is started.
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
 * A configuration of the guide, with the addresses of a place put in for those that it has for its readers.
 * @param {string} name
 * @param {Record<string, string>} instead  By what stands in the file, which has to be there.
 */
export async function documented(name, instead) {
  let text = await readFile(new URL(name, GUIDE), "utf8");
  for (const [old, replacement] of Object.entries(instead)) {
    assert.ok(text.includes(old), `docs/networks/${name} has no ${old}`);
    text = text.replaceAll(old, replacement);
  }
  return text;
}

/** A certificate for 127.0.0.1 that nobody trusts. @returns {Promise<{ key: string, cert: string }>} Paths. */
export async function makeCertificate(folder) {
  const [key, cert] = [join(folder, "key.pem"), join(folder, "cert.pem")];
  const subject = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"];
  const kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"];
  await promisify(execFile)("openssl", ["req", "-x509", ...kind, ...subject, "-keyout", key, "-out", cert]);
  return { key, cert };
}
