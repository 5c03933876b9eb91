import { BOXES } from "./boxes.mjs";
import { SUBJECTS } from "./support/subject.mjs";
import puppeteer from "puppeteer-core";
const [,, boxId = "direct", ms = "4000", visits = "1", delay="0"] = process.argv;
const box = BOXES.find(({ id }) => id === boxId);
const subject = await SUBJECTS["pet-store"]();
const route = await box.start(subject.address);
const browser = await puppeteer.launch({ headless: true, acceptInsecureCerts: true, browser: "chrome", executablePath: "/usr/bin/chromium", pipe: true, args: ["--no-sandbox","--disable-gpu","--disable-quic"] });
try {
  console.log(Object.keys(route), route.proxy, route.origin);
  const ctx = await browser.createBrowserContext(route.proxy ? { proxyServer: route.proxy.replace(/^https?:\/\//,""), proxyBypassList: ["<-loopback>"] } : {});
  for (let v = 0; v < Number(visits); v++) {
  const page = await ctx.newPage();
  const cdp = await page.createCDPSession();
  if (delay !== "0") { await cdp.send("Network.enable"); await cdp.send("Network.emulateNetworkConditions", { offline: false, latency: Number(delay), downloadThroughput: -1, uploadThroughput: -1 }); }
  await page.evaluateOnNewDocument(() => {
    window.__log = [];
    const log = (...a) => window.__log.push(Math.round(performance.now()) + " " + a.join(" "));
    const W = WebSocket, E = EventSource, F = fetch;
    window.WebSocket = class extends W { constructor(u) { super(u); log("ws dial", u); this.addEventListener("open", () => log("ws open")); this.addEventListener("message", (e) => log("ws msg", e.data.slice(0, 60))); this.addEventListener("close", () => log("ws close")); } };
    window.EventSource = class extends E { constructor(u) { super(u); log("sse dial", u); this.addEventListener("open", () => log("sse open")); this.addEventListener("error", () => log("sse error")); for (const t of ["hello","status","heartbeat"]) this.addEventListener(t, (e) => log("sse msg", e.data.slice(0, 60))); } close() { log("sse close"); super.close(); } };
    window.fetch = async (u, o) => { log("fetch", u); const r = await F(u, o); log("answered", r.status, u); return r; };
  });
  await page.goto(route.origin + "/pets", { waitUntil: "load" });
  await new Promise((r) => setTimeout(r, Number(ms)));
  console.log((await page.evaluate(() => window.__log)).join("\n"));
  console.log(await page.evaluate(() => document.querySelector("#connection, [data-connection], .connection")?.innerText));
  console.log(await page.evaluate(() => performance.getEntriesByType("resource").filter((e) => e.name.startsWith("http")).map((e) => `${Math.round(e.startTime)}-${Math.round(e.responseEnd)} ${e.initiatorType} ${e.name}`).join("\n")));
  await page.close();
  }
} finally { await browser.close(); await route.stop(); await subject.stop(); }
process.exit(0);
