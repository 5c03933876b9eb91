/**
 * A real browser window: one tab is visible, hidden tabs can be frozen, and pages that are left go into the back/forward
 * cache. Playwright launches browsers with all of this disabled.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { chromium } from "playwright-core";
import { CHROMIUM, FLAGS, LIMIT_MS, Tab } from "./browser.mjs";

/**
 * Starts a browser with its own profile; both are removed after the test.
 * @param {import("node:test").TestContext} t
 */
export async function openWindow(t) {
  const child = await launch(t, "about:blank", ["--remote-debugging-port=0"]);
  const browser = await chromium.connectOverCDP(await addressOf(child), { noDefaults: true });
  return new Window(browser.contexts()[0]);
}

/**
 * Opens a page in a browser without a debugger, because Playwright's delays prerendered pages. A test sees only the
 * requests of the page.
 * @param {import("node:test").TestContext} t
 * @param {string} url
 */
export async function openUnattended(t, url) {
  await launch(t, url);
}

/** Starts a browser with its own profile. */
async function launch(t, url, flags = []) {
  const profile = await mkdtemp(join(tmpdir(), "pet-store-window-"));
  const all = [...FLAGS, ...flags, `--user-data-dir=${profile}`, url];
  const child = spawn(CHROMIUM, all, { stdio: ["ignore", "ignore", "pipe"] });
  t.after(async () => {
    child.kill("SIGKILL");
    if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
    await rm(profile, { recursive: true, force: true, maxRetries: 10 });
  });
  // Read to the end, because a full pipe would block the browser.
  child.stderr.resume();
  return child;
}

/** Returns the debugging address of a browser that was just started. */
function addressOf(child) {
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code) => reject(new Error(`the browser ended with ${code}`)));
    createInterface({ input: child.stderr }).on("line", (line) => {
      const match = /^DevTools listening on (\S+)$/.exec(line);
      if (match) resolve(match[1]);
    });
  });
}

class Window {
  #context;

  /** @param {import("playwright-core").BrowserContext} context */
  constructor(context) {
    this.#context = context;
    context.setDefaultTimeout(LIMIT_MS);
  }

  /**
   * Opens a tab in front of all others.
   * @param {string} url
   * @param {() => void} [script]  Runs in the page before its own.
   */
  async openTab(url, script) {
    const tab = new Tab(await this.#context.newPage());
    if (script) await tab.page.addInitScript(script);
    await tab.page.goto(url);
    return tab;
  }

  /**
   * Opens a tab behind another one, like a link that is clicked with the middle button.
   * @param {Tab} front
   * @param {string} url
   */
  async openBehind(front, url) {
    const devtools = await this.#context.newCDPSession(front.page);
    const opening = this.#context.waitForEvent("page");
    await devtools.send("Target.createTarget", { url, background: true });
    const tab = new Tab(await opening);
    await tab.page.waitForURL(url);
    return tab;
  }

  /**
   * Freezes a hidden tab, as browsers do after a while.
   * @param {Tab} tab
   * @returns {Promise<() => Promise<unknown>>} Resumes it.
   */
  async freeze(tab) {
    const devtools = await this.#context.newCDPSession(tab.page);
    await devtools.send("Page.setWebLifecycleState", { state: "frozen" });
    return () => devtools.send("Page.setWebLifecycleState", { state: "active" });
  }
}
