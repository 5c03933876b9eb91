/** The examples of docs/client.md, as they are written. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { eventually, openTab, startStore } from "../support/browser.mjs";
import { startSite } from "./site.mjs";

const TEXT = readFileSync(new URL("../../../docs/client.md", import.meta.url), "utf8");

/** The blocks in a language, with the address of a server in place of the example's. */
function examples(language, origin) {
  const blocks = [...TEXT.matchAll(/^```(\w+)\n(.*?)^```$/gms)].filter(([, name]) => name === language);
  const placed = blocks.map(([, , text]) => text.replaceAll("wss://rescue.example", origin.replace("http", "ws")));
  return placed.map((text) => text.replaceAll("https://rescue.example", origin));
}

const pages = examples("html", "").length;
assert.equal(pages, 4);

for (let index = 0; index < pages; index += 1) {
  test(`page ${index + 1} of the documentation is live, from a disk`, async (t) => {
    const store = await startStore(t, { pets: 12 });
    const folder = await mkdtemp(join(tmpdir(), "pet-store-client-"));
    t.after(() => rm(folder, { recursive: true }));
    const file = join(folder, "page.html");
    await writeFile(file, examples("html", store.origin)[index]);
    const tab = await openTab(t, pathToFileURL(file).href);
    const body = tab.page.locator("body");
    for (let round = 0; round < 2; round += 1) {
      const status = await store.changeStatus(1);
      const place = body.locator('pet-status [part="text"], pet-board li:has(a[href$="/pets/1"]) [part="text"], #status');
      await eventually(async () => assert.equal((await place.textContent()).toLowerCase(), status.toLowerCase()));
    }
    tab.assertNoProblems();
  });
}

test("the script of the documentation runs under the documented policy, and receives what it says", async (t) => {
  const store = await startStore(t, { pets: 12 });
  const [script] = examples("js", store.origin);
  const [policy] = examples("csp", new URL(store.origin).origin).map((text) => text.trim());
  const files = { "/": `<script type="module" src="/page.js"></script><link rel="icon" href="data:,">`, "/page.js": script };
  const site = await startSite(t, { files, policy: `default-src 'none'; img-src data:; ${policy.replace("script-src", "script-src 'self'")}` });
  const tab = await openTab(t, "about:blank");
  /** @type {string[]} */
  const said = [];
  tab.page.on("console", (message) => message.type() === "log" && said.push(message.text()));
  await tab.page.goto(site);
  const known = await Promise.all([7, 12].map((pet) => store.api("GET", `/pets/${pet}`)));
  const snapshot = known.map(({ id, name, status }) => `${id} ${name} ${status}`);
  await eventually(() => assert.deepEqual(said, snapshot));
  await store.setStatus(7, "bathing");
  await store.setStatus(12, "playing");
  await eventually(() => {
    const changes = said.slice(2).map((line) => line.split(" ").slice(0, 2).join(" "));
    assert.deepEqual(changes, ["7 bathing", "12 playing"]);
  });
  tab.assertNoProblems();
});
