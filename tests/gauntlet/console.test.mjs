/** The consoles of both browsers stay empty while a visitor opens pages, goes back, and leaves. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { direct } from "./boxes.mjs";
import * as nginx from "./boxes/nginx.mjs";
import { transportOf } from "./support/recorder.mjs";
import { Scene } from "./support/scene.mjs";

const LIVE_WITHIN_MS = 10_000;

/** Pages are also left while they load and connect, when browsers log most errors. */
const LEFT_AFTER_MS = [0, 20, 40, 60, 80, 100, 150, 200, 300, 500];

const REFUSED_SOCKET = /WebSocket|ws:/;

for (const name of ["chromium", "firefox"]) {
  describe(`the console of ${name}`, () => {
    test("is empty when a page is loaded, left, restored and closed", () =>
      withScene(direct, name, async (scene) => {
        const { browser, tab } = scene;
        await scene.visit("/pets");
        await follow(tab, '[data-pet="1"] [data-link]');
        await follow(tab, 'nav a[href="/pets"]');
        // Firefox reports a script that it was still loading when the page is left, whatever the page does.
        const mayBeLeft = name === "firefox" ? scriptHasRun : async () => {};
        await mayBeLeft(tab);
        await tab.page.goBack({ waitUntil: "domcontentloaded" });
        await mayBeLeft(tab);
        await tab.page.goBack({ waitUntil: "domcontentloaded" });
        await isLive(tab);
        for (const afterMs of LEFT_AFTER_MS) {
          await scene.visit("/pets");
          await mayBeLeft(tab);
          await pause(afterMs);
        }
        await scene.visit("/pets/2");
        await isLive(tab);
        const witness = await browser.openTab();
        await tab.page.close();
        await witness.visit("about:blank");
        assert.deepEqual(await browser.consoleErrors([tab, witness]), []);
      }));

    test("contains a refused WebSocket, so the test reads it", () =>
      withScene(nginx.alone, name, async (scene) => {
        const { browser, tab } = scene;
        await scene.visit("/pets");
        await isLive(tab);
        // The page may be live by its first poll before the WebSocket is refused.
        const read = async () => (await browser.consoleErrors([tab])).join("\n");
        for (const started = Date.now(); !REFUSED_SOCKET.test(await read()) && Date.now() - started < LIVE_WITHIN_MS; ) await pause(50);
        assert.match(await read(), REFUSED_SOCKET);
      }));
  });
}

async function withScene(start, browser, act) {
  const scene = await Scene.open({ start, browser });
  try {
    await act(scene);
  } finally {
    await scene.close();
  }
}

/** Clicks a link of a live page. */
async function follow(tab, selector) {
  await isLive(tab);
  // A click needs the layout, and Firefox warns of one before the style sheet is there.
  await isLoaded(tab);
  await Promise.all([tab.page.waitForNavigation({ waitUntil: "domcontentloaded" }), tab.page.click(selector)]);
}

async function isLoaded(tab) {
  await tab.page.waitForFunction(() => document.readyState === "complete", { polling: 20, timeout: LIVE_WITHIN_MS });
}

/** The build marks each script that runs. */
async function scriptHasRun(tab) {
  const hasRun = () => Object.keys(window).some((key) => key.startsWith("petStoreScript_"));
  await tab.page.waitForFunction(hasRun, { polling: 20, timeout: LIVE_WITHIN_MS });
}

async function isLive(tab) {
  const recording = await tab.recordingWhen((recording) => transportOf(recording) !== "none", LIVE_WITHIN_MS);
  assert.notEqual(transportOf(recording), "none", "the page is live");
}
