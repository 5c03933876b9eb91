/**
 * Debian's Chromium and Firefox, each driven in its own protocol (DevTools, WebDriver BiDi) through one interface, with
 * a fresh profile, and with every complaint of their consoles kept.
 */
import { setTimeout as pause } from "node:timers/promises";
import puppeteer from "puppeteer-core";
import { record, recording } from "./recorder.mjs";

const CHROMIUM = process.env.CHROMIUM_BIN ?? "/usr/bin/chromium";
const FIREFOX = process.env.FIREFOX_BIN ?? "/usr/bin/firefox-esr";

/** Far more than anything takes on a busy machine. */
const LIMIT_MS = 30_000;

const LOOK_AGAIN_MS = 50;

/** @typedef {"chromium" | "firefox"} BrowserName */

/**
 * What differs between the two: how they start, and how they complain.
 * @type {Record<BrowserName, { options: import("puppeteer-core").LaunchOptions, complaints: Function }>}
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
    complaints: async (_program, heard) => heard,
  },
  firefox: {
    options: {
      browser: "firefox",
      executablePath: FIREFOX,
      // Lets the tests read the browser's own console, where it writes what it does not tell the page's.
      args: ["--remote-allow-system-access"],
      // Otherwise what is on this machine would be asked for past the proxy.
      extraPrefsFirefox: { "network.proxy.allow_hijacking_localhost": true },
    },
    complaints: firefoxConsole,
  },
};

/** The same for Chromium. */
const PROXY_EVERYTHING = ["<-loopback>"];

/**
 * The programs that run now, each with the number of profiles that are open in it: it starts with the first and ends
 * with the last.
 * @type {Map<BrowserName, { starting: Promise<import("puppeteer-core").Browser>, profiles: number }>}
 */
const running = new Map();

/** @param {BrowserName} name */
function borrow(name) {
  const start = () => puppeteer.launch({ headless: true, acceptInsecureCerts: true, ...KINDS[name].options });
  const program = running.get(name) ?? { starting: start(), profiles: 0 };
  running.set(name, program);
  program.profiles += 1;
  return program.starting;
}

/** @param {BrowserName} name */
async function giveBack(name) {
  const program = running.get(name);
  program.profiles -= 1;
  if (program.profiles > 0) return;
  running.delete(name);
  await (await program.starting).close();
}

/**
 * What Firefox's own console says of pages: also of sockets and streams that a page left behind. It ends scripts of a
 * page that is left, on a busy machine even those that have just begun, and says so: that is about the machine.
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

/** A profile of its own: nothing that another one keeps, knows or has open is in it. */
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
   * @param {{ proxy?: string }} [options]  `proxy`: host and port of a forward proxy for all that it asks.
   */
  static async open(name, { proxy } = {}) {
    const program = await borrow(name);
    try {
      const through = proxy ? { proxyServer: proxy, proxyBypassList: name === "chromium" ? PROXY_EVERYTHING : [] } : {};
      return new Browser(name, program, await program.createBrowserContext(through));
    } catch (error) {
      await giveBack(name);
      throw error;
    }
  }

  /** @param {(...args: any[]) => void} [early]  Runs in each document before its own scripts, with `args`. */
  async openTab(early, ...args) {
    const page = await this.#profile.newPage({ type: "window" });
    page.setDefaultTimeout(LIMIT_MS);
    const tab = new Tab(page);
    await page.evaluateOnNewDocument(record);
    if (early) await page.evaluateOnNewDocument(early, ...args);
    return tab;
  }

  /**
   * What was complained about, as far as this browser tells. Firefox tells of all its profiles together.
   * @param {Tab[]} tabs
   * @returns {Promise<string[]>}
   */
  complaints(tabs) {
    const heard = tabs.flatMap(({ heard }) => heard);
    return KINDS[this.#name].complaints(this.#program, heard);
  }

  /** @param {NodeJS.Signals} signal  For all processes of the browser. */
  signal(signal) {
    process.kill(-this.#program.process().pid, signal);
  }

  async close() {
    await this.#profile.close();
    await giveBack(this.#name);
  }
}

/** A page, with all that was ever said on its console but plain words. */
export class Tab {
  /** @type {string[]} */
  heard = [];

  /** @param {import("puppeteer-core").Page} page */
  constructor(page) {
    this.page = page;
    page.on("console", (message) => {
      if (["error", "warn", "warning"].includes(message.type())) this.heard.push(message.text());
    });
    page.on("pageerror", (error) => this.heard.push(String(error)));
  }

  /** Loads a page. Not waited for: what the page asks for later, which on some networks never ends. */
  async visit(url) {
    await this.page.goto(url, { waitUntil: "domcontentloaded" });
  }

  /** @returns {Promise<import("./recorder.mjs").Recording>} */
  recording() {
    return this.page.evaluate(recording);
  }

  /**
   * Asks for the recording until it is as it should be, or the limit is reached.
   * @param {(recording: import("./recorder.mjs").Recording) => boolean} isThere
   * @param {number} limitMs
   * @returns {Promise<import("./recorder.mjs").Recording>} The last one, whether it is as it should be or not.
   */
  async recordingWhen(isThere, limitMs) {
    const until = performance.now() + limitMs;
    for (;;) {
      const recording = await this.recording();
      if (isThere(recording) || performance.now() >= until) return recording;
      await pause(LOOK_AGAIN_MS);
    }
  }
}
