/**
 * Builds what the server sends to browsers, from `public/` into `public/built/`: `npm run build`.
 *
 * Every module directly in `public/app/` is a script of some pages, and every stylesheet directly in `public/style/` is one
 * too; subfolders are parts. `public/app/on-demand/` has modules that a script imports when it needs them, and
 * `public/petstore/client.js` is the library for pages of other sites. Modules directly in `public/worker/` are service workers.
 * `support/icons.mjs` makes the icons of home screens. The results are committed,
 * so that the program builds without Node; `manifest.json` names them, with a hash of the content.
 */
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync } from "node:zlib";
import * as esbuild from "esbuild";
import { minify } from "terser";
import { renderIcons } from "./support/icons.mjs";

const PUBLIC = fileURLToPath(new URL("../../public", import.meta.url));
export const BUILT = `${PUBLIC}/built`;

/** Has everything that the client uses, so nothing is rewritten for older browsers: they show the page of the server. */
const TARGET = ["chrome111", "firefox115", "safari16.4"];

/** @type {esbuild.BuildOptions} */
const COMMON = {
  bundle: true,
  minify: true,
  write: false,
  target: TARGET,
  charset: "utf8",
  legalComments: "none",
  logLevel: "error",
};

/**
 * Each file of the build by its name.
 * @returns {Promise<Map<string, string | Uint8Array>>}
 */
export async function build() {
  /** @type {Map<string, string | Uint8Array>} */
  const files = new Map();
  for (const name of entries("app", ".js")) files.set(name, await script(`${PUBLIC}/app/${name}`));
  for (const name of entries("style", ".css")) files.set(name, await stylesheet(`${PUBLIC}/style/${name}`));
  for (const name of entries("app/on-demand", ".js")) files.set(name, await module(`${PUBLIC}/app/on-demand/${name}`));
  files.set("client.js", await module(`${PUBLIC}/petstore/client.js`));
  files.set("follow.js", await module(`${PUBLIC}/petstore/transports/follow.js`));
  for (const name of entries("worker", ".js")) files.set(name, await module(`${PUBLIC}/worker/${name}`));
  const icon = readFileSync(`${PUBLIC}/icon.svg`, "utf8");
  files.set("icon.svg", icon);
  for (const [name, png] of await renderIcons(icon)) files.set(name, png);
  const manifest = [...files].map(([name, text]) => [name, describeFile(text)]);
  files.set("manifest.json", `${JSON.stringify(Object.fromEntries(manifest), null, 2)}\n`);
  return files;
}

/** @param {string} folder @param {string} ending */
function entries(folder, ending) {
  return readdirSync(`${PUBLIC}/${folder}`).filter((name) => name.endsWith(ending)).sort();
}

/**
 * A classic script, so that it can be `async` in any browser. It waits until the page is parsed, and runs once, also if it is
 * loaded again. `petStoreScript_NAME` shows that it is complete: a file that was cut is a syntax error, and nothing of it runs.
 * @param {string} path
 */
async function script(path) {
  const text = (await shrink(await bundle({ entryPoints: [path], format: "iife" }))).trim();
  if (path.endsWith("/loader.js")) return text;
  const mark = `petStoreScript_${basename(path, ".js")}`;
  const start = `document.readyState==="loading"?document.addEventListener("DOMContentLoaded",start):start()`;
  return `(()=>{if(window.${mark})return;window.${mark}=1;const start=()=>{${text}};${start}})();\n`;
}

/**
 * A stylesheet with its icons inside. Its last rule shows that it is complete.
 * @param {string} path
 */
async function stylesheet(path) {
  const text = await bundle({ entryPoints: [path], plugins: [{ name: "icons", setup: embedIcons }] });
  return `${text.trim()}#complete{order:1}\n`;
}

/** A module with its exports. @param {string} path */
async function module(path) {
  return shrink(await bundle({ entryPoints: [path], format: "esm" }));
}

/** Icons without comments and indentation. @param {esbuild.PluginBuild} plugin */
function embedIcons(plugin) {
  plugin.onLoad({ filter: /\.svg$/ }, ({ path }) => {
    const contents = readFileSync(path, "utf8").replace(/<!--[\s\S]*?-->/g, "").replace(/>\s+</g, "><").trim();
    return { contents, loader: "dataurl" };
  });
}

/**
 * Shrinks a bundle further: esbuild does not inline variables and functions that are used once, and gives the members of
 * classes the shortest names, which terser keeps.
 * @param {string} text
 */
async function shrink(text) {
  const { code = "" } = await minify(text, { ecma: 2020, toplevel: true, compress: { passes: 2 } });
  return `${code}\n`;
}

/** @param {esbuild.BuildOptions} options @returns {Promise<string>} */
async function bundle(options) {
  const result = await esbuild.build({ ...COMMON, ...options });
  const [file] = /** @type {esbuild.OutputFile[]} */ (result.outputFiles);
  return file.text;
}

/** @param {string | Uint8Array} content */
function describeFile(content) {
  const hash = createHash("sha256").update(content).digest("hex").slice(0, 16);
  return { hash, bytes: Buffer.byteLength(content), brotli: brotliCompressSync(content).length };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const files = await build();
  rmSync(BUILT, { recursive: true, force: true });
  mkdirSync(BUILT);
  for (const [name, content] of files) writeFileSync(`${BUILT}/${name}`, content);
  console.log(String(files.get("manifest.json")).replace(/\n {4}|\n {2}(?=})/g, " "));
}
