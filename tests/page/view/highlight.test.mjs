/** The mark on what has just changed: it begins again with each change, and costs no layout. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock } from "../support/fakes.mjs";
import { Highlight } from "../../../public/view/highlight.js";

/** An element that knows its classes, counts how often they are set, and whose layout nobody may ask for. */
class FakeElement {
  classes = new Set();
  writes = 0;
  classList = {
    add: (name) => (this.#write(), this.classes.add(name)),
    remove: (...names) => (this.#write(), names.forEach((name) => this.classes.delete(name))),
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
  return { clock, highlight: new Highlight(clock), element: new FakeElement() };
}

test("what has changed is marked for two seconds after the last change", () => {
  const { clock, highlight, element } = openHighlight();
  highlight.show(element);
  clock.turn(1500);
  highlight.show(element);
  clock.turn(1999);
  assert.notEqual(element.mark, "");
  clock.turn(1);
  assert.equal(element.mark, "");
  assert.equal(clock.waiting, 0);
});

test("the animation begins again without a layout in between: it gets another name", () => {
  const { clock, highlight, element } = openHighlight();
  highlight.show(element);
  const first = element.mark;
  clock.turn(1000);
  highlight.show(element);
  assert.notEqual(element.mark, first);
  assert.equal(element.classes.size, 1);
  clock.turn(1000);
  highlight.show(element);
  assert.equal(element.mark, first);
});

test("a pet that changes fifty times a second is written to twice a second", () => {
  const { clock, highlight, element } = openHighlight();
  for (let change = 0; change < 500; change += 1) {
    highlight.show(element);
    clock.turn(20);
    assert.notEqual(element.mark, "", "it stays marked");
  }
  assert.ok(element.writes <= 2 * 21, `${element.writes} writes in ten seconds`);
});

test("stopping takes every mark away and leaves no timer", () => {
  const { clock, highlight, element } = openHighlight();
  highlight.show(element);
  highlight.stop();
  assert.equal(element.mark, "");
  assert.equal(clock.waiting, 0);
});
