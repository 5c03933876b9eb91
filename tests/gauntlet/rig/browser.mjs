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

/** What differs between the two: how they start, how they are told of a proxy, and how they complain. */
const KINDS = {
  chromium: {
    launch: (proxy) => ({
      browser: /** @type {const} */ ("chrome"),
      executablePath: CHROMIUM,
      pipe: true,
      args: [
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--disable-background-networking",
        "--disable-component-update",
        // Without the second, what is on this machine would be asked for past the proxy.
        ...(proxy ? [`--proxy-server=${proxy}`, "--proxy-bypass-list=<-loopback>"] : []),
      ],
    }),
    complaints: async (_browser, heard) => heard,
  },
  firefox: {
    launch: (proxy) => ({
      browser: /** @type {const} */ ("firefox"),
      executablePath: FIREFOX,
      // Lets the tests read the browser's own console, where it writes what it does not tell the page's.
      args: ["--remote-allow-system-access"],
      extraPrefsFirefox: proxy ? firefoxProxy(new URL(`http://${proxy}`)) : {},
    }),
    complaints: firefoxConsole,
  },
};

function firefoxProxy({ hostname, port }) {
  return {
    "network.proxy.type": 1,
    "network.proxy.http": hostname,
    "network.proxy.http_port": Number(port),
    "network.proxy.ssl": hostname,
    "network.proxy.ssl_port": Number(port),
    "network.proxy.allow_hijacking_localhost": true,
  };
}

/** What Firefox's own console says of pages: also of sockets and streams that a page left behind. */
async function firefoxConsole({ connection }) {
  const tree = await connection.send("browsingContext.getTree", { "moz:scope": "chrome" });
  const { result } = await connection.send("script.evaluate", {
    expression: `Services.console.getMessageArray()
      .filter((said) => said instanceof Ci.nsIScriptError && said.sourceName.startsWith("http"))
      .map((said) => said.errorMessage).join("\\n")`,
    target: { context: tree.result.contexts[0].context },
    awaitPromise: false,
  });
  return result.result.value.split("\n").filter(Boolean);
}

export class Browser {
  #kind;
  #browser;

  constructor(kind, browser) {
    this.#kind = kind;
    this.#browser = browser;
  }

  /**
   * @param {BrowserName} name
   * @param {{ proxy?: string }} [options]  `proxy`: host and port of a forward proxy for all that it asks.
   */
  static async open(name, { proxy } = {}) {
    const kind = KINDS[name];
    const browser = await puppeteer.launch({ headless: true, acceptInsecureCerts: true, ...kind.launch(proxy) });
    return new Browser(kind, browser);
  }

  /** @param {(...args: any[]) => void} [early]  Runs in each document before its own scripts, with `args`. */
  async openTab(early, ...args) {
    const page = await this.#browser.newPage();
    page.setDefaultTimeout(LIMIT_MS);
    const tab = new Tab(page);
    await page.evaluateOnNewDocument(record);
    if (early) await page.evaluateOnNewDocument(early, ...args);
    return tab;
  }

  /**
   * What was complained about in any tab, as far as this browser tells.
   * @param {Tab[]} tabs
   * @returns {Promise<string[]>}
   */
  complaints(tabs) {
    return this.#kind.complaints(
      this.#browser,
      tabs.flatMap(({ heard }) => heard),
    );
  }

  /** @param {NodeJS.Signals} signal  For all processes of the browser. */
  signal(signal) {
    process.kill(-this.#browser.process().pid, signal);
  }

  close() {
    return this.#browser.close();
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
