/**
 * Forced colours, as in the contrast themes of Windows: the browser replaces all colours by a few of the system, so statuses,
 * buttons, focus and the live indicator are told apart by shapes, borders and text.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { openTab, startStore } from "../support/browser.mjs";

const SCHEMES = /** @type {const} */ (["light", "dark"]);
const STATES = ["page", "connecting", "live", "polling", "delayed", "offline"];

/** A demo, whose pages have the buttons of staff. */
async function openForced(t, path, colorScheme) {
  const store = await startStore(t);
  for (const [id, status] of [[1, "eating"], [2, "bathing"], [3, "sleeping"], [4, "playing"]]) await store.setStatus(id, status);
  const tab = await openTab(t, store.origin + path, { forcedColors: "active", colorScheme });
  await tab.isLive();
  return tab;
}

/** Shape and contrast of the icons of the pets' statuses. Runs in the page. */
function readIcons() {
  return [...document.querySelectorAll("[data-pet] :is(.status, .lobby-status) > .status-icon")].map((icon) => {
    const drawing = getComputedStyle(icon, "::before");
    return {
      status: icon.closest("[data-status]").dataset.status,
      shape: drawing.maskImage,
      isVisible: drawing.backgroundColor !== getComputedStyle(icon).backgroundColor,
    };
  });
}

/** How the mark of the connection looks in each state. Runs in the page. */
function readMarks(states) {
  const connection = document.querySelector("#connection");
  const mark = getComputedStyle(connection.querySelector(".line-mark"));
  return states.map((state) => {
    connection.dataset.state = state;
    const { clipPath, borderTopStyle, backgroundColor, borderTopColor } = mark;
    const colour = borderTopStyle === "dotted" ? borderTopColor : backgroundColor;
    return { look: `${clipPath} ${borderTopStyle}`, isVisible: colour !== getComputedStyle(document.body).backgroundColor };
  });
}

/** Looks of the pressed and of the other buttons, as far as colours of the system can show it. Runs in the page. */
function readButtons() {
  const look = (button) => {
    const { outlineStyle, outlineWidth, borderTopStyle } = getComputedStyle(button);
    return `${outlineStyle} ${outlineWidth} ${borderTopStyle}`;
  };
  const looks = (pressed) => [...new Set([...document.querySelectorAll(`button[name="status"][aria-pressed="${pressed}"]`)].map(look))];
  return { pressed: looks("true"), others: looks("false") };
}

/** Looks of the element with focus. Runs in the page. */
function readFocus() {
  const element = document.activeElement;
  const after = getComputedStyle(element, "::after");
  const { outlineStyle, outlineWidth, outlineColor } = after.outlineStyle === "solid" ? after : getComputedStyle(element);
  const canvas = getComputedStyle(document.body).backgroundColor;
  return { name: element.outerHTML.slice(0, 60), isVisible: outlineStyle === "solid" && parseFloat(outlineWidth) >= 2 && outlineColor !== canvas };
}

for (const scheme of SCHEMES) {
  for (const path of ["/pets", "/pets/1", "/board"]) {
    test(`statuses and connection are told apart by their shapes: ${path}, ${scheme}`, async (t) => {
      const tab = await openForced(t, path, scheme);
      const icons = await tab.page.evaluate(readIcons);
      assert.ok(icons.length > 0 && icons.every(({ isVisible }) => isVisible), JSON.stringify(icons));
      const shapes = new Map(icons.map(({ status, shape }) => [status, shape]));
      assert.ok([...shapes.values()].every((shape) => shape.includes("svg")), "each status has its icon");
      assert.equal(new Set(shapes.values()).size, shapes.size, "the icons differ");
      assert.equal(shapes.size, path === "/pets/1" ? 1 : 4);
      const marks = await tab.page.evaluate(readMarks, STATES);
      assert.ok(marks.every(({ isVisible }) => isVisible), JSON.stringify(marks));
      assert.equal(new Set(marks.map(({ look }) => look)).size, STATES.length, JSON.stringify(marks));
    });
  }

  test(`pressed buttons and the focus are visible: ${scheme}`, async (t) => {
    for (const path of ["/pets", "/pets/1"]) {
      const tab = await openForced(t, path, scheme);
      const { pressed, others } = await tab.page.evaluate(readButtons);
      assert.ok(pressed.length === 1 && others.length === 1 && pressed[0] !== others[0], JSON.stringify({ pressed, others }));
      for (let key = 0; key < 12; key += 1) {
        await tab.page.keyboard.press("Tab");
        const focus = await tab.page.evaluate(readFocus);
        assert.ok(focus.isVisible, `${path}: ${focus.name}`);
      }
    }
  });

  test(`the screen in the lobby shows silhouettes, and that it is offline: ${scheme}`, async (t) => {
    const tab = await openForced(t, "/board", scheme);
    const [silhouette, canvas] = await tab.page.evaluate(() => [
      getComputedStyle(document.querySelector(".lobby-photo"), "::before").backgroundColor,
      getComputedStyle(document.body).backgroundColor,
    ]);
    assert.notEqual(silhouette, canvas);
    const borders = await tab.page.locator("#connection").evaluate((line) =>
      ["live", "delayed", "offline"].map((state) => {
        line.dataset.state = state;
        const { borderTopStyle, borderTopWidth } = getComputedStyle(line);
        return `${borderTopStyle} ${borderTopWidth}`;
      }));
    assert.equal(new Set(borders).size, 3, borders.join());
  });
}
