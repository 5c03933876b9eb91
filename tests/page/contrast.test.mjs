/** The colours of statuses: also a faded one is readable (WCAG 2.2, 1.4.3 and 1.4.11). */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

const css = readFileSync(new URL("../../public/style/parts/tokens.css", import.meta.url), "utf8");
const [light, dark] = css.split("prefers-color-scheme: dark");

/** @param {string} scheme @param {string} name  Without dashes in front. */
function luminance(scheme, name) {
  const digits = new RegExp(`--${name}: #([0-9a-f]{6})`).exec(scheme)?.[1];
  assert.ok(digits, name);
  const [red, green, blue] = [0, 2, 4].map((place) => {
    const channel = parseInt(digits.slice(place, place + 2), 16) / 255;
    return channel <= 0.04045 ? channel / 12.92 : ((channel + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

/** @param {string} scheme @param {string} one @param {string} other */
function contrast(scheme, one, other) {
  const [low, high] = [luminance(scheme, one), luminance(scheme, other)].sort((less, more) => less - more);
  return (high + 0.05) / (low + 0.05);
}

for (const [name, scheme] of [["light", light], ["dark", dark]]) {
  test(`text and icon of every status, and of an old one, are readable on its cloth in ${name} colours`, () => {
    for (const status of ["eating", "bathing", "sleeping", "playing", "stale"]) {
      const ink = contrast(scheme, `${status}-ink`, `${status}-patch`);
      assert.ok(ink >= 4.5, `${status}: text ${ink}`);
      const strong = contrast(scheme, `${status}-strong`, `${status}-patch`);
      assert.ok(strong >= 3, `${status}: icon ${strong}`);
    }
  });
}
