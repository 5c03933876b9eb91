/** A page that receives more changes than its device can draw. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { openTab, startStore } from "./support/browser.mjs";

/** Changes to look at: some seconds' worth. */
const CHANGES = 2_000;

/** A page that shows nothing newer than this must not say Live. */
const LIVE_LIMIT_MS = 3_000;

const SLOWDOWN = 6;

/** Opens a board with 300 changes a second on a slow device. */
async function openBusy(t, look, argument) {
  const store = await startStore(t, { pets: 300, simulate: "1s" });
  const tab = await openTab(t, "about:blank");
  const { page } = tab;
  // Checked inside the page: it is too busy to answer the test in time.
  await page.addInitScript(look, argument);
  const told = (pattern) => page.waitForEvent("console", { predicate: (message) => pattern.test(message.text()), timeout: 120_000 });
  const connected = told(/^connected$/);
  const devtools = await page.context().newCDPSession(page);
  await page.goto(`${store.origin}/pets`, { waitUntil: "commit" });
  await connected;
  const looked = told(/^{/);
  await devtools.send("Emulation.setCPUThrottlingRate", { rate: SLOWDOWN });
  const seen = JSON.parse((await looked).text());
  await store.stop("SIGKILL");
  return seen;
}

/** Runs in the page: compares what is on the screen after each frame with what the line says. */
function compareFrames({ changes, liveLimitMs }) {
  const seen = { changes: 0, frames: 0, worstMs: 0, lies: [], lines: [] };
  let connectedAt = Infinity;
  document.addEventListener("petstore:change", () => {
    if (connectedAt === Infinity) console.info("connected");
    connectedAt = Math.min(connectedAt, Date.now());
    seen.changes += 1;
  });
  const painted = new MessageChannel();
  painted.port1.onmessage = () => {
    const line = document.querySelector("#connection-text")?.textContent ?? "";
    const times = [...document.querySelectorAll("time[data-since]")].map((time) => Date.parse(time.getAttribute("datetime")));
    // Before the connection the page is as old as its HTML.
    const behindMs = Math.min(Date.now() - Math.max(...times), Date.now() - connectedAt);
    seen.frames += 1;
    seen.worstMs = Math.max(seen.worstMs, behindMs);
    if (!seen.lines.includes(line)) seen.lines.push(line);
    if (behindMs > liveLimitMs && line.startsWith("Live")) seen.lies.push([behindMs, line]);
    if (seen.changes < changes) requestAnimationFrame(afterFrame);
    else console.info(JSON.stringify(seen));
  };
  const afterFrame = () => painted.port2.postMessage(null);
  requestAnimationFrame(afterFrame);
}

test("a page with 300 changes a second never says Live while what it shows is seconds old, and does not blame the network", async (t) => {
  const { frames, lies, lines, worstMs } = await openBusy(t, compareFrames, { changes: CHANGES, liveLimitMs: LIVE_LIMIT_MS });
  t.diagnostic(`${frames} frames, at most ${worstMs} ms behind, and said: ${lines.join(" | ")}`);
  assert.deepEqual(lies, []);
  assert.doesNotMatch(lines.join("\n"), /network|delay\b/);
});

/** Runs in the page: counts writes to the cards between two frames. */
function countWrites({ changes }) {
  const seen = { changes: 0, most: 0 };
  let [isConnected, frame] = [false, new Map()];
  const begin = () => {
    frame = new Map();
    requestAnimationFrame(begin);
  };
  requestAnimationFrame(begin);
  document.addEventListener("petstore:change", () => {
    if (!isConnected) console.info("connected");
    isConnected = true;
    seen.changes += 1;
    if (seen.changes === changes) console.info(JSON.stringify(seen));
  });
  new MutationObserver((records) => {
    for (const { target } of isConnected ? records : []) {
      const writes = (frame.get(target) ?? 0) + 1;
      frame.set(target, writes);
      seen.most = Math.max(seen.most, writes);
    }
  }).observe(document, { subtree: true, attributes: true, attributeFilter: ["data-status"] });
}

test("a pet is drawn once per frame, however many of its changes arrived", async (t) => {
  const { most } = await openBusy(t, countWrites, { changes: CHANGES });
  assert.equal(most, 1);
});
