/** The highlight of a change: it restarts with each change, without forcing a layout. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { fake, FakeClock } from "../support/fakes.mjs";
import { Highlight } from "../../../public/app/view/highlight.js";

/** An element that counts writes to its classes, and fails if its layout is read. */
class FakeElement {
  /** @type {Set<string>} */
  classes = new Set();
  writes = 0;
  classList = {
    add: (/** @type {string} */ name) => (this.#write(), this.classes.add(name)),
    remove: (/** @type {string[]} */ ...names) => (this.#write(), names.forEach((name) => this.classes.delete(name))),
  };

  #write() {
    this.writes += 1;
  }

  get mark() {
    return [...this.classes].join(" ");
  }

  get offsetWidth() {
    throw new Error("layout was forced");
  }

  getBoundingClientRect() {
    throw new Error("layout was forced");
  }
}

function openHighlight() {
  const clock = new FakeClock();
  const element = new FakeElement();
  const highlight = new Highlight(clock);
  const show = () => highlight.show(fake(element));
  return { clock, highlight, element, show };
}

test("a change is highlighted for two seconds", () => {
  const { clock, element, show } = openHighlight();
  show();
  clock.turn(1500);
  show();
  clock.turn(1999);
  assert.notEqual(element.mark, "");
  clock.turn(1);
  assert.equal(element.mark, "");
  assert.equal(clock.waiting, 0);
});

test("the animation restarts under another name, without a layout in between", () => {
  const { clock, element, show } = openHighlight();
  show();
  const first = element.mark;
  clock.turn(1000);
  show();
  assert.notEqual(element.mark, first);
  assert.equal(element.classes.size, 1);
  clock.turn(1000);
  show();
  assert.equal(element.mark, first);
});

test("a pet that changes fifty times a second has two writes a second", () => {
  const { clock, element, show } = openHighlight();
  for (let change = 0; change < 500; change += 1) {
    show();
    clock.turn(20);
    assert.notEqual(element.mark, "", "it stays marked");
  }
  assert.ok(element.writes <= 2 * 21, `${element.writes} writes in ten seconds`);
});

test("stopping removes every highlight and leaves no timer", () => {
  const { clock, highlight, element, show } = openHighlight();
  show();
  highlight.stop();
  assert.equal(element.mark, "");
  assert.equal(clock.waiting, 0);
});
