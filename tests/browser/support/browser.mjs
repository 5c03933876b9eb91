/**
 * Support for the browser tests: the program on its own port, and a real browser whose console errors are recorded.
 *
 * Nothing sleeps for a fixed time: `eventually` repeats a check until it passes or the time limit is reached.
 */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after } from "node:test";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";
import { BASE_PATH, freePort, sitePath, startNginx } from "./below.mjs";

const BINARY = process.env.PET_STORE_BIN ?? fileURLToPath(new URL("../../../target/debug/pet-store", import.meta.url));
export const CHROMIUM = process.env.CHROMIUM_BIN ?? "/usr/bin/chromium";

/** Far more than anything takes on a busy machine. */
export const LIMIT_MS = 20_000;

const ASK_AGAIN_MS = 25;

/**
 * Repeats a check until it passes.
 * @template T
 * @param {() => T | Promise<T>} check  Throws, or returns false, until it passes.
 * @returns {Promise<T>} The result of the check. Rejects with its last error after the time limit.
 */
export async function eventually(check, limitMs = LIMIT_MS) {
  const until = Date.now() + limitMs;
  for (;;) {
    try {
      const value = await check();
      if (value !== false) return value;
      assert.ok(Date.now() < until, `never came true: ${check}`);
    } catch (error) {
      if (Date.now() >= until) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, ASK_AGAIN_MS));
  }
}

/**
 * Starts the program with its own data folder; both are removed after the test.
 * @param {import("node:test").TestContext} t
 * @param {Record<string, string | number>} [flags]  The simulator is off by default.
 */
export async function startStore(t, flags = {}) {
  const data = await mkdtemp(join(tmpdir(), "pet-store-browser-"));
  const store = new Store(data, { simulate: "off", seed: 1, ...flags });
  t.after(async () => {
    await store.end();
    await rm(data, { recursive: true, force: true });
  });
  await store.start();
  return store;
}

/**
 * Starts an empty rescue without accounts, and returns the link for its first admin.
 * @param {import("node:test").TestContext} t
 * @param {Record<string, string | number>} [flags]
 */
export async function startRescue(t, flags = {}) {
  const data = await mkdtemp(join(tmpdir(), "pet-store-browser-"));
  const store = new Store(data, flags, "serve");
  t.after(async () => {
    await store.end();
    await rm(data, { recursive: true, force: true });
  });
  await store.start();
  return { store, link: await linkOf(store) };
}

/**
 * Starts a rescue without accounts that has the sample pets, with their photos.
 * @param {import("node:test").TestContext} t
 * @param {(store: Store) => Promise<Record<string, string | number>>} [flags]  Returns the flags of the rescue. Its address is known then.
 */
export async function startRescueWithPets(t, flags = async () => ({})) {
  const store = await startStore(t);
  await store.stop("SIGTERM");
  store.become("serve", await flags(store));
  await store.start();
  return { store, link: await linkOf(store) };
}

/** Returns the link for the first admin. @param {Store} store */
const linkOf = (store) => eventually(() => / at (http\S+\/welcome\/\S+)$/m.exec(store.said.join("\n"))?.[1] ?? false);

/** A pet-store that can be restarted on the same port and data. */
class Store {
  /** Its address, with the path below which nginx serves it, if it does. */
  origin = "";
  #listen = "127.0.0.1:0";
  /** @type {string[]} Its output so far. */
  said = [];
  #data;
  #flags;
  #command;
  /** @type {import("node:child_process").ChildProcess | null} */
  #process = null;
  /** The port of nginx, if it is below a path. */
  #port = 0;
  /** @type {(() => Promise<void>) | null} */
  #stopNginx = null;

  constructor(data, flags, command = "demo") {
    this.#data = data;
    this.#flags = flags;
    this.#command = command;
  }

  async start() {
    if (BASE_PATH) this.#port ||= await freePort();
    const site = `http://127.0.0.1:${this.#port}${BASE_PATH}`;
    const below = BASE_PATH && { "base-url": site, "trusted-proxy": "127.0.0.1" };
    const flags = { listen: this.#listen, data: this.#data, ...below, ...this.#flags };
    const given = Object.entries(flags).flatMap(([name, value]) => [`--${name}`, String(value)]);
    const child = spawn(BINARY, [this.#command, ...given], { stdio: ["ignore", "ignore", "pipe"] });
    this.#process = child;
    const { said } = this;
    const lines = createInterface({ input: child.stderr });
    const address = await new Promise((resolve, reject) => {
      child.once("error", reject);
      child.once("exit", (code) => reject(new Error(`pet-store ended with ${code}: ${said.join("\n")}`)));
      // Read to the end, because a full pipe would block the program.
      lines.on("line", (line) => {
        said.push(line);
        const match = /^listening on (http:\/\/(\S+))$/.exec(line);
        if (match) resolve(match);
      });
    });
    [, this.origin, this.#listen] = address;
    if (!BASE_PATH) return;
    this.#stopNginx ??= await startNginx(this.#port, this.#listen);
    this.origin = site;
  }

  /** Stops it and what is in front of it. */
  async end() {
    await this.stop("SIGKILL");
    await this.#stopNginx?.();
  }

  /** @param {NodeJS.Signals} signal */
  async stop(signal) {
    const child = this.#process;
    this.#process = null;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    child.kill(signal);
    await once(child, "exit");
  }

  /** Makes the next start another one. @param {"demo" | "serve"} command @param {Record<string, string | number>} flags */
  become(command, flags) {
    this.#command = command;
    this.#flags = flags;
  }

  /** Deletes its data: the next start has another epoch. */
  async deleteData() {
    await rm(this.#data, { recursive: true });
  }

  /**
   * Calls the JSON API directly, not through a proxy.
   * @returns {Promise<any>}
   */
  async api(method, path, body) {
    const answer = await fetch(`${this.origin}/api/v1${path}`, {
      method,
      headers: { "content-type": "application/json" },
      body: body && JSON.stringify(body),
    });
    const value = await answer.json();
    assert.ok(answer.ok, `${method} ${path}: ${answer.status} ${JSON.stringify(value)}`);
    return value;
  }

  setStatus(pet, status) {
    return this.api("PUT", `/pets/${pet}/status`, { status });
  }

  /** Changes the status of a pet, and returns the text of the new one. */
  async changeStatus(pet) {
    const { status } = await this.api("GET", `/pets/${pet}`);
    const next = status === "eating" ? "playing" : "eating";
    await this.setStatus(pet, next);
    return statusText(next);
  }
}

/** @param {string} status */
export const statusText = (status) => status[0].toUpperCase() + status.slice(1);

/** @type {Promise<import("playwright-core").Browser> | undefined} One for all tests of a file. */
let launching;

after(async () => {
  const browser = await launching;
  await browser?.close();
});

/** A host name for this machine that is not a secure context, unlike 127.0.0.1. */
const LAN_NAME = "petstore.test";

/** Returns the origin under that name, as from another machine over plain http. */
export const onLan = (/** @type {string} */ origin) => origin.replace("127.0.0.1", LAN_NAME);

/** No window, no sandbox (tests may run as root), and no background traffic. */
export const FLAGS = [
  "--headless=new",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  `--host-resolver-rules=MAP ${LAN_NAME} 127.0.0.1`,
];

function launchBrowser() {
  return chromium.launch({ executablePath: CHROMIUM, args: FLAGS });
}

/**
 * Opens a page in its own browser profile.
 * @param {import("node:test").TestContext} t
 * @param {string} url
 * @param {import("playwright-core").BrowserContextOptions} [options]
 */
export async function openTab(t, url, options) {
  launching ??= launchBrowser();
  const browser = await launching;
  const context = await browser.newContext(options);
  context.setDefaultTimeout(LIMIT_MS);
  t.after(() => context.close());
  return openTabIn(context, url);
}

/** @param {import("playwright-core").BrowserContext} context */
async function openTabIn(context, url) {
  const tab = new Tab(await context.newPage());
  await tab.page.goto(url);
  return tab;
}

/** A page, with its recorded problems. */
export class Tab {
  /** @type {string[]} Console errors and warnings, including policy violations; uncaught errors; dialogs. */
  problems = [];
  /** Number of loaded documents; stays at 1 while the page updates live. */
  loads = 0;

  /** @param {import("playwright-core").Page} page */
  constructor(page) {
    this.page = page;
    page.on("console", (message) => {
      if (["error", "warning"].includes(message.type())) this.problems.push(message.text());
    });
    page.on("pageerror", (error) => this.problems.push(String(error)));
    page.on("dialog", async (dialog) => {
      this.problems.push(`dialog: ${dialog.message()}`);
      await dialog.dismiss();
    });
    page.on("request", (request) => {
      if (request.isNavigationRequest()) this.loads += 1;
    });
  }

  /** Opens another page in the same profile. */
  openAnother(url) {
    return openTabIn(this.page.context(), url);
  }

  /** The path of the page, below that of the site. */
  get path() {
    return sitePath(this.page.url());
  }

  /** The text of the connection status, e.g. "Live". */
  async line() {
    return (await this.page.locator("#connection-text").textContent()) ?? "";
  }

  /** Waits until the connection status matches. @param {RegExp} text */
  says(text) {
    return eventually(async () => assert.match(await this.line(), text));
  }

  /** Waits until the page is live, over this transport if one is given. @param {"ws" | "sse"} [transport] */
  isLive(transport) {
    const pattern = transport ? `[data-transport="${transport}"]` : "";
    return eventually(async () => (await this.page.locator(`#connection[data-state="live"]${pattern}`).count()) === 1);
  }

  /** @param {number | string} id  The card on the index, or the pet on its show page. */
  pet(id) {
    return this.page.locator(`[data-pet="${id}"]`);
  }

  /** Returns the text of a field of a pet. */
  async field(id, name) {
    return this.pet(id).locator(`[data-field="${name}"]`).first().textContent();
  }

  /** Waits until a field of a pet has this text. */
  shows(id, name, text) {
    return eventually(async () => assert.equal(await this.field(id, name), text));
  }

  /** Fills in the form of a pet. */
  async fill(fields) {
    for (const [name, value] of Object.entries(fields)) {
      if (name === "sex") await this.page.locator(`input[name="sex"][value="${value}"]`).check();
      else await this.page.locator(`[name="${name}"]`).fill(value);
    }
  }

  /** Clicks a link or button, and waits for the next page. */
  async send(selector) {
    await Promise.all([this.page.waitForEvent("load"), this.page.locator(selector).click()]);
  }

  assertNoProblems() {
    assert.deepEqual(this.problems, [], `problems at ${this.page.url()}`);
  }
}

/** Returns a time of day in the browser's time zone, as the page writes it. */
export function clockAt(timezone, time) {
  const format = new Intl.DateTimeFormat("en-GB", { timeZone: timezone, hour: "2-digit", minute: "2-digit" });
  return format.format(new Date(time));
}
