/**
 * Icons of home screens, from `public/icon.svg`: phones want PNG. resvg draws the same bytes on every machine.
 */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { Resvg, initWasm } from "@resvg/resvg-wasm";

const WASM = createRequire(import.meta.url).resolve("@resvg/resvg-wasm/index_bg.wasm");

/** Width and height in pixels, by file. Those that are full are cut to a shape by the phone. */
const ICONS = [
  { name: "icon-192.png", size: 192, isFull: false },
  { name: "icon-512.png", size: 512, isFull: false },
  { name: "icon-maskable.png", size: 512, isFull: true },
  { name: "apple-touch-icon.png", size: 180, isFull: true },
];

/** @type {Promise<void> | undefined} */
let loading;

/**
 * @param {string} icon  The icon as SVG.
 * @returns {Promise<Map<string, Uint8Array>>} The files by name.
 */
export async function renderIcons(icon) {
  await (loading ??= initWasm(readFileSync(WASM)));
  const render = (/** @type {typeof ICONS[number]} */ { size, isFull }) =>
    new Resvg(isFull ? fill(icon) : icon, { fitTo: { mode: "width", value: size } }).render().asPng();
  return new Map(ICONS.map((file) => [file.name, render(file)]));
}

/** Fills the square up to its corners, without the seam along its edge. The paw stays within the circle of 80 % that no phone cuts. */
function fill(/** @type {string} */ icon) {
  const filled = icon.replace(' rx="11"', "").replace(/<rect x="3\.5".*\/>/, "");
  if (filled.includes("stroke") || filled.includes("rx=\"11\"")) throw new Error("icon.svg has another background");
  return filled;
}
