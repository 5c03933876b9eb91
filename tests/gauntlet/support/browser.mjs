/**
 * Debian's Chromium and Firefox, each driven over its own protocol (DevTools, WebDriver BiDi) through one interface, with a
 * fresh profile, and with their console errors recorded.
 */
import { setTimeout as pause } from "node:timers/promises";
import puppeteer from "puppeteer-core";
import { record, recording } from "./recorder.mjs";

const CHROMIUM = process.env.CHROMIUM_BIN ?? "/usr/bin/chromium";
const FIREFOX = process.env.FIREFOX_BIN ?? "/usr/bin/firefox-esr";

/** Far more than anything takes on a busy machine. */
const LIMIT_MS = 30_000;

const RETRY_MS = 50;

/** @typedef {"chromium" | "firefox"} BrowserName */

/**
 * What differs between the two: how they start, and where their console errors are.
 * @type {Record<BrowserName, { options: import("puppeteer-core").LaunchOptions, consoleErrors: Function }>}
 */
const KINDS = {
  chromium: {
    options: {
      browser: "chrome",
      executablePath: CHROMIUM,
      pipe: true,
      args: [
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--disable-background-networking",
        "--disable-component-update",
      ],
    },
    consoleErrors: async (_program, errors) => errors,
  },
  firefox: {
    options: {
      browser: "firefox",
      executablePath: FIREFOX,
      // Lets the tests read the browser console, which has errors that the page's console does not.
      args: ["--remote-allow-system-access"],
      // Otherwise requests to this machine would bypass the proxy.
      extraPrefsFirefox: { "network.proxy.allow_hijacking_localhost": true },
    },
    consoleErrors: firefoxConsole,
  },
};

/** The same for Chromium. */
const PROXY_EVERYTHING = ["<-loopback>"];

/**
 * The running browsers, each with the number of its open profiles. A browser starts with the first and ends with the last.
 * @type {Map<BrowserName, { starting: Promise<import("puppeteer-core").Browser>, profiles: number }>}
 */
const running = new Map();

/** @param {BrowserName} name */
function acquire(name) {
  const start = () => puppeteer.launch({ headless: true, acceptInsecureCerts: true, ...KINDS[name].options });
  const program = running.get(name) ?? { starting: start(), profiles: 0 };
  running.set(name, program);
  program.profiles += 1;
  return program.starting;
}

/** @param {BrowserName} name */
async function release(name) {
  const program = running.get(name);
  program.profiles -= 1;
  if (program.profiles > 0) return;
  running.delete(name);
  await (await program.starting).close();
}

/**
 * Returns the errors of web pages in Firefox's browser console, also about sockets and streams that a page left open.
 * Without the terminated scripts of a page that is left, which depend on how busy the machine is.
 */
async function firefoxConsole({ connection }) {
  const tree = await connection.send("browsingContext.getTree", { "moz:scope": "chrome" });
  const { result } = await connection.send("script.evaluate", {
    expression: `JSON.stringify(
      Services.console.getMessageArray()
        .filter((said) => said instanceof Ci.nsIScriptError && said.sourceName.startsWith("http"))
        .map((said) => said.errorMessage)
        .filter((text) => !text.startsWith("Script terminated by timeout"))
    )`,
    target: { context: tree.result.contexts[0].context },
    awaitPromise: false,
  });
  return JSON.parse(result.result.value);
}

/** A browser profile, which shares nothing with another one. */
export class Browser {
  #name;
  #program;
  #profile;

  constructor(name, program, profile) {
    this.#name = name;
    this.#program = program;
    this.#profile = profile;
  }

  /**
   * @param {BrowserName} name
   * @param {{ proxy?: string }} [options]  `proxy`: host and port of a forward proxy.
   */
  static async open(name, { proxy } = {}) {
    const program = await acquire(name);
    try {
      const through = proxy ? { proxyServer: proxy, proxyBypassList: name === "chromium" ? PROXY_EVERYTHING : [] } : {};
      return new Browser(name, program, await program.createBrowserContext(through));
    } catch (error) {
      await release(name);
      throw error;
    }
  }

  /** @param {(...args: any[]) => void} [script]  Runs in each document before its own scripts, with `args`. */
  async openTab(script, ...args) {
    const page = await this.#profile.newPage({ type: "window" });
    page.setDefaultTimeout(LIMIT_MS);
    const tab = new Tab(page);
    await page.evaluateOnNewDocument(record);
    if (script) await page.evaluateOnNewDocument(script, ...args);
    return tab;
  }

  /**
   * Returns the console errors. Firefox returns those of all its profiles.
   * @param {Tab[]} tabs
   * @returns {Promise<string[]>}
   */
  consoleErrors(tabs) {
    const errors = tabs.flatMap(({ errors }) => errors);
    return KINDS[this.#name].consoleErrors(this.#program, errors);
  }

  /** @param {NodeJS.Signals} signal  For all processes of the browser. */
  signal(signal) {
    process.kill(-this.#program.process().pid, signal);
  }

  async close() {
    await this.#profile.close();
    await release(this.#name);
  }
}

/** A page, with the errors and warnings of its console. */
export class Tab {
  /** @type {string[]} */
  errors = [];

  /** @param {import("puppeteer-core").Page} page */
  constructor(page) {
    this.page = page;
    page.on("console", (message) => {
      if (["error", "warn", "warning"].includes(message.type())) this.errors.push(message.text());
    });
    page.on("pageerror", (error) => this.errors.push(String(error)));
  }

  /** Loads a page, without waiting for its later requests, which never end on some networks. */
  async visit(url) {
    await this.page.goto(url, { waitUntil: "domcontentloaded" });
  }

  /** Scrolls through the page, because it draws the cards that are in view, and lets it draw. */
  scrollThrough() {
    return this.page.evaluate(async () => {
      const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));
      for (let top = 0; top < document.documentElement.scrollHeight; top += innerHeight / 2) {
        scrollTo(0, top);
        for (let frames = 0; frames < 3; frames += 1) await frame();
      }
      scrollTo(0, 0);
    });
  }

  /** @returns {Promise<import("./recorder.mjs").Recording>} */
  recording() {
    return this.page.evaluate(recording);
  }

  /**
   * Reads the recording until the condition holds, or the time limit is reached.
   * @param {(recording: import("./recorder.mjs").Recording) => boolean} condition
   * @param {number} limitMs
   * @returns {Promise<import("./recorder.mjs").Recording>} The last one, also if the condition does not hold.
   */
  async recordingWhen(condition, limitMs) {
    const until = performance.now() + limitMs;
    for (;;) {
      const recording = await this.recording();
      if (condition(recording) || performance.now() >= until) return recording;
      await pause(RETRY_MS);
    }
  }
}
