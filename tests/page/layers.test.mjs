/** Which folder of the client may import which, and what only certain modules may touch. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { posix } from "node:path";
import { test } from "node:test";

const PUBLIC = new URL("../../public/", import.meta.url);

const modules = readdirSync(PUBLIC, { recursive: true, encoding: "utf8" })
  .filter((path) => path.endsWith(".js") && !path.startsWith("built/"))
  .map((path) => ({ path, text: readFileSync(new URL(path, PUBLIC), "utf8") }));

/** @param {string[]} folders */
const modulesIn = (...folders) => modules.filter(({ path }) => folders.some((folder) => path.startsWith(folder)));

/** Code without its comments. @param {string} text */
const code = (text) => text.replace(/\/\*[\s\S]*?\*\//g, "").replace(/^\s*\/\/.*$/gm, "");

/** @param {{ path: string, text: string }[]} sources @param {RegExp} pattern @param {string} reason */
function assertNowhere(sources, pattern, reason) {
  for (const { path, text } of sources) assert.doesNotMatch(code(text), pattern, `${path}: ${reason}`);
}

test("the library knows nothing of our pages", () => {
  for (const { path, text } of modulesIn("petstore/")) {
    for (const [, from] of code(text).matchAll(/\bfrom "([^"]+)"/g)) {
      const imported = posix.join(posix.dirname(path), from);
      assert.ok(imported.startsWith("petstore/"), `${path} imports ${imported}`);
    }
  }
});

test("decisions and network do not import what draws", () => {
  for (const { path, text } of modulesIn("app/state/", "petstore/")) {
    for (const [, from] of code(text).matchAll(/\bfrom "([^"]+)"/g)) {
      const imported = posix.join(posix.dirname(path), from);
      assert.ok(!imported.startsWith("app/view/"), `${path} imports ${imported}`);
    }
  }
});

test("visitors load nothing of staff, doctor, hello or chaos", () => {
  const texts = new Map(modules.map(({ path, text }) => [path, code(text)]));
  const loaded = new Set(["app/visitor.js"]);
  for (const path of loaded) {
    for (const [, from] of (texts.get(path) ?? "").matchAll(/\bfrom "([^"]+)"/g)) loaded.add(posix.join(posix.dirname(path), from));
  }
  assert.ok(loaded.has("app/view/cards.js"), [...loaded].join());
  const others = /saves|saving|commands|draft|form-fields|status-buttons|doctor|hello|echo|chaos-select/;
  for (const path of loaded) assert.doesNotMatch(path, others);
  const sheet = (/** @type {string} */ path) => readFileSync(new URL(`style/${path}`, PUBLIC), "utf8");
  const parts = [...sheet("visitor.css").matchAll(/@import "([^"]+)"/g)].map(([, part]) => part);
  assert.ok(parts.includes("./parts/cards.css"), parts.join());
  for (const part of parts) assert.doesNotMatch(sheet(part), /one-tap|set-status|\.manage|\.saved|doctor-|hello|chaos/, part);
});

test("network and decisions do not touch the page", () => {
  const isAllowed = (/** @type {string} */ path) => path === "petstore/environment.js" || path.startsWith("petstore/elements/");
  const sources = modulesIn("app/state/", "petstore/").filter(({ path }) => !isAllowed(path));
  assertNowhere(sources, /querySelector|textContent|location\b|globalThis/, "page");
});

test("randomness, clock and timers are passed in", () => {
  // A page imports `follow` by its address, and passes in the clock. Its randomness is the default of an option.
  const exempt = ["petstore/clock.js", "petstore/environment.js", "petstore/transports/follow.js", "app/on-demand/install-worker.js"];
  const others = modules.filter(({ path }) => !exempt.includes(path) && !/^app\/((page|on-demand)\/)?[a-z]+\.js$/.test(path));
  assertNowhere(others, /Math\.random|Date\.now|new Date\(\)|performance\.|setTimeout|setInterval/, "not passed in");
});

test("data reaches the page as text, never as markup", () => {
  assertNowhere(modules, /innerHTML|outerHTML|insertAdjacentHTML|document\.write|DOMParser|\.style\b|\beval\b/, "markup");
});

test("every module is type-checked and opens with its purpose", () => {
  for (const { path, text } of modules) assert.match(text, /^\/\/ @ts-check\n\/\*\*/, path);
  assertNowhere(modules, /@ts-(ignore|nocheck|expect-error)/, "silenced");
});
