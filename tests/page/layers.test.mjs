/** The order of the client's folders: what may import what, and what only one place may touch. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";

const PUBLIC = new URL("../../public/", import.meta.url);

/** @param {string} folder */
const modules = (folder) =>
  readdirSync(new URL(folder, PUBLIC))
    .filter((name) => name.endsWith(".js"))
    .map((name) => ({ path: folder + name, text: readFileSync(new URL(folder + name, PUBLIC), "utf8") }));

const all = ["", "live/", "live/tabs/", "state/", "view/"].flatMap(modules);

/** Code without its comments. @param {string} text */
const code = (text) => text.replace(/\/\*[\s\S]*?\*\//g, "").replace(/^\s*\/\/.*$/gm, "");

function assertNowhere(sources, pattern, reason) {
  for (const { path, text } of sources) assert.doesNotMatch(code(text), pattern, `${path}: ${reason}`);
}

test("decisions import decisions only, and neither network nor drawing know of each other", () => {
  const allowed = {
    "state/": /^\.\//,
    "live/": /^\.(\/|\.\/state\/)/,
    "live/tabs/": /^\.(\/|\.\/([^./]|\.\.\/state\/))/,
    "view/": /^\.(\/|\.\/state\/)/,
  };
  for (const [folder, pattern] of Object.entries(allowed)) {
    for (const { path, text } of modules(folder)) {
      for (const [, from] of code(text).matchAll(/\bfrom "([^"]+)"/g)) assert.match(from, pattern, path);
    }
  }
});

test("network and decisions touch no page", () => {
  const own = ["live/", "live/tabs/", "state/"].flatMap(modules);
  assertNowhere(own, /querySelector|textContent|location\b|globalThis/, "page");
});

test("chance, clock and timers are passed in", () => {
  const others = all.filter(({ path }) => !["live/clock.js", "app.js", "doctor.js", "loader.js"].includes(path));
  assertNowhere(others, /Math\.random|Date\.now|new Date\(\)|performance\.|setTimeout|setInterval/, "not passed in");
});

test("data reaches the page as text, never as markup", () => {
  assertNowhere(all, /innerHTML|outerHTML|insertAdjacentHTML|document\.write|DOMParser|\.style\b|\beval\b/, "markup");
});

test("every module is type-checked and opens with what it is for", () => {
  for (const { path, text } of all) assert.match(text, /^\/\/ @ts-check\n\/\*\*/, path);
});
