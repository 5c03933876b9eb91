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
  const profile = await mkdtemp(join(tmpdir(), "pet-store-window-"));
  const flags = [...FLAGS, "--remote-debugging-port=0", `--user-data-dir=${profile}`, "about:blank"];
  const child = spawn(CHROMIUM, flags, { stdio: ["ignore", "ignore", "pipe"] });
  t.after(async () => {
    child.kill("SIGKILL");
    if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
    await rm(profile, { recursive: true, force: true, maxRetries: 10 });
  });
  const browser = await chromium.connectOverCDP(await addressOf(child), { noDefaults: true });
  return new Window(browser.contexts()[0]);
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
