/** A page that receives more changes than its device can draw. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { openTab, startStore } from "./support/browser.mjs";

/** Enough to see how the page reports a delay, with an end for a device that keeps up. */
const BEHIND_MS = 4_000;
const CHANGES = 2_000;

/** The page reports a delay of two seconds; the rest is the time between drawing and reading it. */
const LIVE_LIMIT_MS = 3_000;

const SLOWDOWN = 6;

test("a page with 300 changes a second never says Live while it is seconds behind, and does not blame the network", async (t) => {
  const store = await startStore(t, { pets: 300, simulate: "1s" });
  const tab = await openTab(t, "about:blank");
  const { page } = tab;
  // Checked inside the page: it is too busy to answer the test in time.
  await page.addInitScript(
    ({ behindMs, changes, liveLimitMs }) => {
      const seen = { changes: 0, worstMs: 0, lies: [], lines: [] };
      let connectedAt = Infinity;
      document.addEventListener("petstore:change", ({ detail }) => {
        const madeAt = Date.parse(detail.at ?? detail.since);
        if (connectedAt === Infinity) console.info("connected");
        connectedAt = Math.min(connectedAt, Date.now());
        // Changes that were missed before are old, and not delayed.
        if (detail.type !== "status" || madeAt < connectedAt) return;
        const behind = Date.now() - madeAt;
        const line = document.querySelector("#connection-text").textContent;
        const words = line.replace(/ · .*/, "");
        seen.changes += 1;
        seen.worstMs = Math.max(seen.worstMs, behind);
        if (!seen.lines.includes(words)) seen.lines.push(words);
        if (behind > liveLimitMs && !line.startsWith("Delayed: this device is too busy")) seen.lies.push([Date.now() - connectedAt, behind, line]);
        if (seen.worstMs < behindMs && seen.changes < changes) return;
        seen.changes = -Infinity;
        console.info(JSON.stringify(seen));
      });
    },
    { behindMs: BEHIND_MS, changes: CHANGES, liveLimitMs: LIVE_LIMIT_MS },
  );
  const told = (pattern) => page.waitForEvent("console", { predicate: (message) => pattern.test(message.text()) });
  const connected = told(/^connected$/);
  const devtools = await page.context().newCDPSession(page);
  await page.goto(`${store.origin}/pets`, { waitUntil: "commit" });
  await connected;
  const looked = told(/^{/);
  await devtools.send("Emulation.setCPUThrottlingRate", { rate: SLOWDOWN });
  const { lies, lines, worstMs } = JSON.parse((await looked).text());
  await store.stop("SIGKILL");
  t.diagnostic(`at most ${worstMs} ms behind, and said: ${lines.join(" | ")}`);
  assert.deepEqual(lies, []);
  assert.doesNotMatch(lines.join("\n"), /network|Polling|SSE/);
});
