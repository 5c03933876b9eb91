/** The highlight of a change: a mark for a moment, which costs one timer and no layout. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { fake, FakeClock } from "../support/fakes.mjs";
import { Highlight } from "../../../public/app/view/highlight.js";

/** An element that counts writes to its classes. */
class FakeElement {
  /** @type {Set<string>} */
  classes = new Set();
  writes = 0;
  classList = {
    add: (/** @type {string} */ name) => (this.#write(), this.classes.add(name)),
    remove: (/** @type {string} */ name) => (this.#write(), this.classes.delete(name)),
  };

  #write() {
    this.writes += 1;
  }

  get isMarked() {
    return this.classes.has("changed");
  }
}

function openHighlight() {
  const clock = new FakeClock();
  const element = new FakeElement();
  const highlight = new Highlight(clock);
  const show = (one = element) => highlight.show(fake(one));
  return { clock, highlight, element, show };
}

test("a change is marked for a moment, which begins again with the next change", () => {
  const { clock, element, show } = openHighlight();
  show();
  clock.turn(1000);
  show();
  clock.turn(1499);
  assert.equal(element.isMarked, true);
  clock.turn(1);
  assert.equal(element.isMarked, false);
  assert.equal(clock.waiting, 0);
});

test("a pet that changes fifty times a second stays marked, with one write and one timer", () => {
  const { clock, element, show } = openHighlight();
  for (let change = 0; change < 500; change += 1) {
    show();
    assert.equal(clock.waiting, 1);
    clock.turn(20);
    assert.equal(element.isMarked, true);
  }
  assert.equal(element.writes, 1);
});

test("many marks have one timer, and those of about the same time end together", () => {
  const { clock, show } = openHighlight();
  const elements = Array.from({ length: 30 }, () => new FakeElement());
  elements.forEach((element) => (show(element), clock.turn(10)));
  assert.equal(clock.waiting, 1);
  const marked = () => elements.filter(({ isMarked }) => isMarked).length;
  clock.turn(1200);
  assert.equal(marked(), 9);
  clock.turn(210);
  assert.equal(marked(), 0);
  assert.equal(clock.waiting, 0);
});

test("stopping removes every highlight and leaves no timer", () => {
  const { clock, highlight, element, show } = openHighlight();
  show();
  highlight.stop();
  assert.equal(element.isMarked, false);
  assert.equal(clock.waiting, 0);
});

const PUBLIC = new URL("../../../public/", import.meta.url);

/** The files of a folder of `public/`. @param {string} folder @param {string} ending */
function filesIn(folder, ending) {
  const url = new URL(`${folder}/`, PUBLIC);
  const names = readdirSync(url, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(ending));
  return names.map((name) => ({ name, text: readFileSync(new URL(name, url), "utf8") }));
}

test("only opacity and transforms move, so that no frame lays out or paints the page", () => {
  for (const { name, text } of filesIn("style/parts", ".css")) {
    for (const [, value] of text.matchAll(/\btransition:\s*([^;]+);/g)) assert.match(value, /^(none|opacity [\d.]+s [a-z-]+)$/, name);
    for (const [, steps] of text.matchAll(/@keyframes [\w-]+ \{((?:[^{}]*\{[^}]*\})*)/g)) {
      for (const [, property] of steps.matchAll(/([\w-]+):/g)) assert.match(property, /^(opacity|transform|rotate|scale|translate)$/, name);
    }
  }
});

test("no module reads what forces a layout", () => {
  const reads = /\b(offset|client|scroll)(Width|Height|Top|Left)\b|getBoundingClientRect|getClientRects|getComputedStyle|innerText/;
  for (const folder of ["app", "petstore"]) {
    // A frame measures itself once, where nothing else tells it its height.
    const files = filesIn(folder, ".js").filter(({ name }) => name !== "embed.js");
    for (const { name, text } of files) assert.doesNotMatch(text, reads, name);
  }
});
