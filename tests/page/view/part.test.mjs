/** A page with some of the pets: which cards do not match any more, and how many match now; and the summary above. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { describe, Part } from "../../../public/app/view/board/part.js";
import { Summary } from "../../../public/app/view/board/summary.js";
import { fake } from "../support/fakes.mjs";

class FakeElement {
  dataset = /** @type {Record<string, string>} */ ({});
  textContent = "";
  /** @type {FakeElement | null} */
  parent = null;
  /** @type {FakeElement[]} */
  children = [];
  attributes = new Set();
  hidden = false;
  classes = new Set();
  classList = { toggle: (/** @type {string} */ name, /** @type {boolean} */ is) => void (is ? this.classes.add(name) : this.classes.delete(name)) };

  /** @param {FakeElement[]} children */
  constructor(...children) {
    this.append(...children);
  }

  get firstElementChild() {
    return this.children[0] ?? null;
  }

  /** @param {FakeElement[]} children */
  append(...children) {
    for (const child of children) child.parent = this;
    this.children.push(...children);
  }

  remove() {
    const siblings = this.parent?.children ?? [];
    siblings.splice(siblings.indexOf(this), 1);
  }

  /** Finds the note in a card, or the place for it. @param {string} selector @returns {FakeElement | null} */
  querySelector(selector) {
    if (selector === ".card-who") return this.children[0];
    return this.children[0]?.children.find(({ dataset }) => "left" in dataset) ?? null;
  }

  querySelectorAll() {
    return this.children;
  }

  /** @param {string} name @param {boolean} is */
  toggleAttribute(name, is) {
    if (name === "hidden") this.hidden = is;
  }

  /** @param {string} name */
  hasAttribute(name) {
    return this.attributes.has(name);
  }
}

/** @param {Record<string, string>} statuses  By id. @param {string | null} doing */
function openPart(statuses, doing) {
  const cards = Object.entries(statuses).map(([pet, status]) => {
    const card = new FakeElement(new FakeElement());
    card.dataset = { pet, status };
    return card;
  });
  const offer = new FakeElement(new FakeElement());
  const document = fake({
    querySelector: (/** @type {string} */ selector) => (selector === "#pets" ? new FakeElement(...cards) : offer),
    createElement: () => new FakeElement(),
  });
  const part = new Part(document, doing);
  const marked = () => cards.filter((card) => card.querySelector("[data-left]") && card.classes.has("left")).map(({ dataset }) => dataset.pet);
  return { part, cards, offer, marked, text: () => (offer.hidden ? "" : offer.children[0].textContent) };
}

const answer = (/** @type {number[]} */ ids, total = ids.length) => ({ total, statuses: {}, pets: ids.map((id) => ({ id })) });

test("a pet that stops doing it is marked immediately, and not marked once it does it again", () => {
  const { part, cards, marked, text } = openPart({ 1: "playing", 2: "playing" }, "playing");
  part.draw();
  assert.deepEqual([marked(), text()], [[], ""]);
  cards[0].dataset.status = "sleeping";
  part.draw();
  part.draw();
  assert.deepEqual([marked(), text()], [["1"], "1 pet no longer matches"]);
  assert.equal(cards[0].children[0].children.length, 1, "one note");
  cards[0].dataset.status = "playing";
  part.draw();
  assert.deepEqual([marked(), text()], [[], ""]);
});

test("what the server leaves out is marked, and what it has beside the cards is offered", () => {
  const { part, marked, text } = openPart({ 1: "playing", 2: "eating" }, null);
  part.receive(answer([1, 5, 6]));
  assert.deepEqual([marked(), text()], [["2"], "2 more pets match · 1 pet no longer matches"]);
  part.receive(answer([1, 2]));
  assert.deepEqual([marked(), text()], [[], ""]);
});

test("a pet that is missing on a page of several may be on another page, and is not marked", () => {
  const { part, marked, text } = openPart({ 1: "playing", 2: "eating" }, null);
  part.receive(answer([2, 3], 60));
  assert.deepEqual([marked(), text()], [[], "1 more pet matches"]);
});

test("the offer is one sentence in each number", () => {
  assert.equal(describe(1, 0), "1 more pet matches");
  assert.equal(describe(2, 3), "2 more pets match · 3 pets no longer match");
  assert.equal(describe(0, 0), "");
});

test("the summary hides what no pet does, but not what is chosen", () => {
  const links = ["eating", "playing", "sleeping"].map((status) => {
    const link = new FakeElement(new FakeElement());
    link.dataset.status = status;
    return link;
  });
  links[1].attributes.add("aria-current");
  const total = new FakeElement();
  const document = fake({ querySelector: () => total, querySelectorAll: () => links });
  const summary = new Summary(document);
  summary.draw(1, (status) => (status === "sleeping" ? 1 : 0));
  assert.equal(total.textContent, "1 pet");
  assert.deepEqual(links.map(({ hidden, children }) => [hidden, children[0].textContent]), [[true, "0"], [false, "0"], [false, "1"]]);
  summary.draw(0, () => 0);
  assert.equal(total.textContent, "0 pets");
});
