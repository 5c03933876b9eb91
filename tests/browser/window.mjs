/**
 * A browser window as people have it: one tab is looked at and the others are hidden, hidden tabs can be frozen, and
 * pages that are left go into the back/forward cache. Playwright launches browsers with all of this turned off.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { chromium } from "playwright-core";
import { CHROMIUM, FLAGS, LIMIT_MS, Tab } from "./support.mjs";

/**
 * A browser with a profile of its own; both are gone after the test.
 * @param {import("node:test").TestContext} t
 */
export async function openWindow(t) {
  const child = await launch(t, "about:blank", ["--remote-debugging-port=0"]);
  const browser = await chromium.connectOverCDP(await addressOf(child), { noDefaults: true });
  return new Window(browser.contexts()[0]);
}

/**
 * Opens a page in a browser that no debugger is attached to: Playwright's holds prerendered pages back. What the page
 * does is seen by what it asks for.
 * @param {import("node:test").TestContext} t
 * @param {string} url
 */
export async function openUnattended(t, url) {
  await launch(t, url);
}

/** Starts a browser with a profile of its own, which go with the test. */
async function launch(t, url, flags = []) {
  const profile = await mkdtemp(join(tmpdir(), "pet-store-window-"));
  const all = [...FLAGS, ...flags, `--user-data-dir=${profile}`, url];
  const child = spawn(CHROMIUM, all, { stdio: ["ignore", "ignore", "pipe"] });
  t.after(async () => {
    child.kill("SIGKILL");
    if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
    await rm(profile, { recursive: true, force: true, maxRetries: 10 });
  });
  // Read to the end also where nobody listens: a full pipe would stop the browser.
  child.stderr.resume();
  return child;
}

/** Where a browser that was just started listens. */
function addressOf(child) {
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code) => reject(new Error(`the browser ended with ${code}`)));
    createInterface({ input: child.stderr }).on("line", (line) => {
      const heard = /^DevTools listening on (\S+)$/.exec(line);
      if (heard) resolve(heard[1]);
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
   * A tab in front of all others.
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
   * A tab behind another one, as a link opens it that is clicked with the middle button.
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
   * Stops a hidden tab from running, as browsers do after a while.
   * @param {Tab} tab
   * @returns {Promise<() => Promise<unknown>>} Lets it run again.
   */
  async freeze(tab) {
    const devtools = await this.#context.newCDPSession(tab.page);
    await devtools.send("Page.setWebLifecycleState", { state: "frozen" });
    return () => devtools.send("Page.setWebLifecycleState", { state: "active" });
  }
}
