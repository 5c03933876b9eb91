/** The network doctor, on an open network and on some that block traffic. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { startProxy } from "../support/proxy.mjs";
import { eventually, openTab, startStore } from "../support/browser.mjs";
import { sitePath } from "../support/below.mjs";

/** Short, so that tests are quick, and long enough that a busy machine does not look like a slow network. */
const HEARTBEAT_S = 2;
const QUICK = { heartbeat: `${HEARTBEAT_S}s` };

const TRANSPORTS = ["ws", "sse", "poll", "short"];

async function consult(t, rules, options, flags = QUICK) {
  const store = await startStore(t, flags);
  const proxy = await startProxy(t, store.origin, rules);
  const tab = await openTab(t, `${proxy.origin}/live/doctor`, options);
  const text = (selector) => tab.page.locator(selector).textContent();
  const result = (probe) => text(`[data-probe="${probe}"] [data-cell="result"]`);
  /** Waits for the end of the first part. */
  const summary = () => eventually(async () => (await text("#doctor-summary")) || false);
  const advice = () => tab.page.locator("#doctor-advice li").allTextContents();
  const report = () => tab.page.locator("#doctor-report").inputValue();
  return { store, proxy, tab, text, result, summary, advice, report };
}

/** Number of viewers by transport, from the server's metrics; sockets to its echo are not counted. */
async function viewers(store) {
  const metrics = await (await fetch(`${store.origin}/metrics`)).text();
  const count = (probe) => Number(new RegExp(`^petstore_viewers{transport="${probe}"} (\\d+)$`, "m").exec(metrics)[1]);
  return { ws: count("ws"), sse: count("sse"), poll: count("poll") };
}

describe("the network doctor", { concurrency: 3 }, () => {
  test("says on a direct connection that everything works, without advice", async (t) => {
    const { tab, text, result, summary, advice, report } = await consult(t);
    assert.equal(await summary(), "Everything gets through. Pages are live over WebSocket.");
    for (const probe of ["http", ...TRANSPORTS]) assert.equal(await result(probe), "Works.", probe);
    assert.match(await text('[data-probe="ws"] [data-cell="measured"]'), /^open after .+s · first message .+round trip/);
    const [, waitedS] = /waited (\S+) s for a response$/.exec(await text('[data-probe="poll"] [data-cell="measured"]'));
    assert.ok(Number(waitedS) >= HEARTBEAT_S, `the poll waited ${waitedS} s`);
    assert.deepEqual(await advice(), []);
    assert.equal(await tab.page.locator("#doctor-advice").isVisible(), false);
    assert.match(await report(), /^Network doctor: http:\/\/127\.0\.0\.1:\d+\S*\nTime: .*\nBrowser: .*Chrome/);
    assert.match(await text("#doctor-note"), /^The connections now stay idle/);
    tab.assertNoProblems();
  });

  test("gives advice if WebSocket is refused, and says that pages are live anyway", async (t) => {
    const { proxy, result, summary, advice, report } = await consult(t, { sockets: "refuse" });
    assert.match(await summary(), /^Pages are live over Server-Sent Events/);
    assert.equal(await result("ws"), "Blocked: refused.");
    assert.equal(await result("sse"), "Works.");
    const [ask, ...more] = await advice();
    const { host } = new URL(proxy.origin);
    assert.ok(ask.startsWith(`Please allow WebSocket upgrades (HTTP 101) to ${host}`), ask);
    assert.deepEqual(more, []);
    assert.ok((await report()).includes(ask));
  });

  test("distinguishes a dropped socket, a buffered stream and a refused poll", async (t) => {
    const { result, summary, advice } = await consult(t, { sockets: "mute", streams: "hold", polls: "refuse" });
    assert.match(await summary(), /^This network blocks live updates and requests that wait/);
    assert.equal(await result("ws"), "Blocked: it opens, but no message arrives.");
    assert.equal(await result("sse"), "Blocked: it opens, but no message arrives.");
    assert.equal(await result("poll"), "Blocked: refused with HTTP 403.");
    assert.equal(await result("short"), "Works.");
    assert.deepEqual(
      (await advice()).map((ask) => ask.split(" ").slice(0, 5).join(" ")),
      ["Please pass WebSocket frames from", "Please don't buffer responses of", "Please allow GET requests to"],
    );
  });

  test("tests the simulated network, and says so in its report", async (t) => {
    const store = await startStore(t, QUICK);
    const tab = await openTab(t, "about:blank");
    const asked = [];
    tab.page.on("request", (request) => asked.push(new URL(request.url())));
    tab.page.on("websocket", (socket) => asked.push(new URL(socket.url())));
    await tab.page.goto(`${store.origin}/live/doctor?chaos=hold`);
    const live = () => asked.filter((url) => sitePath(url).startsWith("/live/"));
    const paths = () => new Set(live().map(sitePath));
    await eventually(() => paths().size === 4);
    assert.deepEqual([...paths()].sort(), ["/live/doctor", "/live/poll", "/live/sse", "/live/ws"]);
    for (const url of live()) assert.equal(url.searchParams.get("chaos"), "hold", url.href);
    assert.match(await tab.page.locator("#doctor-report").inputValue(), /^Simulated network of the demo: hold$/m);
    assert.equal(await tab.page.getByLabel("Simulate a bad network").inputValue(), "hold");
    const result = (probe) => tab.page.locator(`[data-probe="${probe}"] [data-cell="result"]`).textContent();
    await eventually(async () => assert.match(await result("sse"), /^Delayed: each message is held back until the next one is sent/));
    assert.equal(await result("ws"), "Blocked: refused.");
  });

  test("can be stopped and run again, stops when the page is left, and closes its connections", async (t) => {
    const held = { streams: "hold" };
    const { store, tab, proxy, result, summary, text } = await consult(t, held, {}, { heartbeat: "6s" });
    const run = tab.page.locator("#doctor-run");
    await run.click();
    assert.equal(await text("#doctor-note"), "Stopped.");
    assert.equal(await result("sse"), "Not finished.");
    assert.equal(await run.textContent(), "Run again");
    await eventually(async () => assert.deepEqual(await viewers(store), { ws: 0, sse: 0, poll: 0 }));
    proxy.let({ streams: "pass" });
    await run.click();
    assert.equal(await summary(), "Everything gets through. Pages are live over WebSocket.");
    await eventually(async () => assert.deepEqual(await viewers(store), { ws: 0, sse: 1, poll: 1 }));
    // The browser may cache a page that is left, with its open connections.
    await tab.page.evaluate(() => window.dispatchEvent(new PageTransitionEvent("pagehide", { persisted: true })));
    assert.equal(await text("#doctor-note"), "Stopped because you left the page.");
    await eventually(async () => assert.deepEqual(await viewers(store), { ws: 0, sse: 0, poll: 0 }));
    tab.assertNoProblems();
  });

  test("copies its report to the clipboard, or selects it if that is forbidden", async (t) => {
    const { tab, text, summary, report } = await consult(t);
    await summary();
    await tab.page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
    await tab.page.locator("#doctor-copy").click();
    await eventually(async () => assert.equal(await text("#doctor-copied"), "Copied."));
    assert.equal(await tab.page.evaluate(() => navigator.clipboard.readText()), await report());
    await tab.page.evaluate(() => Object.defineProperty(navigator, "clipboard", { value: undefined }));
    await tab.page.locator("#doctor-copy").click();
    await eventually(async () => assert.match(await text("#doctor-copied"), /^The report is selected/));
    const selected = await tab.page.locator("#doctor-report").evaluate((field) => {
      return field === document.activeElement && field.value.slice(field.selectionStart, field.selectionEnd);
    });
    assert.equal(selected, await report());
  });

  test("says without JavaScript what it would test, and what a network has to let through", async (t) => {
    const { tab } = await consult(t, {}, { javaScriptEnabled: false });
    const said = await tab.page.locator("main").innerText();
    assert.match(said, /This test needs JavaScript/);
    assert.match(said, /GET \/live\/sse: a response of type text\/event-stream/);
    assert.equal(await tab.page.locator("#doctor").isVisible(), false);
  });

  test("is linked from a page that is not live", async (t) => {
    const { proxy, tab } = await consult(t, { sockets: "refuse", streams: "refuse" });
    const page = await tab.openAnother(`${proxy.origin}/pets`);
    await page.says(/^(Live, with a short delay|Delayed)/);
    await page.send(".line-doctor");
    assert.equal(page.path, "/live/doctor");
  });
});
