/**
 * Checks the HTML of every page with the Nu Html Checker (vnu): `npm run vnu`. Needs Java.
 *
 * A page is checked as the server sends it. Style sheets and scripts are not.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import assert from "node:assert/strict";
import { startAll, visit } from "./support/all-pages.mjs";
import { openTab } from "./support/browser.mjs";

const JAR = fileURLToPath(import.meta.resolve("vnu-jar/build/dist/vnu.jar"));

test("the HTML of every page is valid", async (t) => {
  const pages = await startAll(t);
  const folder = await mkdtemp(join(tmpdir(), "pet-store-vnu-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  for (const one of pages) {
    const { page } = await openTab(t, "about:blank", { storageState: one.storageState, javaScriptEnabled: false });
    const answer = await visit(page, one);
    await writeFile(join(folder, `${one.name.replace(/\W+/g, "_")}.html`), await answer.text());
    await page.context().close();
  }
  const child = spawn("java", ["-jar", JAR, "--errors-only", "--skip-non-html", "--format", "gnu", folder]);
  let said = "";
  child.stderr.on("data", (text) => (said += text));
  const [code] = await once(child, "close");
  assert.equal(code, 0, said.replaceAll(folder, ""));
});
