/** The cards of the index: each in its place by id, and drawn once per frame where it is in view. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Cards } from "../../../public/app/view/cards.js";
import { fake } from "../support/fakes.mjs";

globalThis.document = fake({ body: { dataset: { base: "" } } });

/** A card with an id and a name, which counts how often it is written and searched. */
class FakeCard {
  /** @type {FakeList | undefined} */
  list;
  writes = 0;
  searches = 0;
  #name = "";
  dataset;
  /** @type {{ dataset: Record<string, string>, textContent: string }} */
  field;

  constructor(id = "") {
    this.dataset = { pet: id };
    const card = this;
    this.field = {
      dataset: { field: "name" },
      get textContent() {
        return card.#name;
      },
      set textContent(text) {
        card.writes += 1;
        card.#name = text;
      },
    };
  }

  querySelectorAll() {
    this.searches += 1;
    return [this.field];
  }

  contains() {
    return false;
  }

  remove() {
    this.list?.cards.splice(this.list.cards.indexOf(this), 1);
  }
}

/** A list without `children`, so that nothing can search it. */
class FakeList {
  /** @type {FakeCard[]} */
  cards = [];

  /** @param {FakeCard} card @param {FakeCard | null} next */
  insertBefore(card, next) {
    card.list = this;
    this.cards.splice(next ? this.cards.indexOf(next) : this.cards.length, 0, card);
  }
}

/** @param {string[]} drawn  Ids of the cards that the server rendered. */
function openCards(drawn = []) {
  const list = new FakeList();
  for (const id of drawn) list.insertBefore(new FakeCard(id), null);
  /** @type {Record<string, unknown>} */
  const parts = { "#pets": list, "#pet-card": { content: { firstElementChild: new FakeCard() } } };
  const document = {
    querySelector: (/** @type {string} */ selector) => parts[selector] ?? null,
    querySelectorAll: () => [...list.cards],
    importNode: () => new FakeCard(),
  };
  const outOfView = new Set();
  const inView = { add() {}, remove() {}, has: (/** @type {unknown} */ card) => !outOfView.has(card) };
  /** @type {unknown[]} */
  const marked = [];
  const highlight = { show: (/** @type {unknown} */ card) => marked.push(card), hide() {} };
  const cards = new Cards({ document: fake(document), times: { set() {} }, highlight: fake(highlight), inView });
  const change = (/** @type {string} */ id, name = "") => cards.put([{ id, after: { id, name } }]);
  const put = (/** @type {string[]} */ ...ids) => (ids.forEach((id) => change(id)), cards.draw());
  const remove = (/** @type {string[]} */ ...ids) => {
    cards.put(ids.map((id) => ({ id, before: { id } })));
    cards.draw();
  };
  return { cards, list, outOfView, marked, change, put, remove, shown: () => list.cards.map(({ dataset }) => dataset.pet) };
}

test("new cards are in the order of their ids, whatever the order in which they arrive", () => {
  const { put, shown } = openCards(["2", "10"]);
  put("11", "1", "9", "100", "3", "10");
  assert.deepEqual(shown(), ["1", "2", "3", "9", "10", "11", "100"]);
});

test("removed cards leave no place behind", () => {
  const { put, remove, shown } = openCards(["1", "2", "3"]);
  remove("2", "3");
  put("4", "2");
  assert.deepEqual(shown(), ["1", "2", "4"]);
  remove("1", "2", "4");
  put("7", "5");
  assert.deepEqual(shown(), ["5", "7"]);
});

test("of many changes of a pet only the last is drawn, and its card is searched once", () => {
  const { cards, list, change } = openCards(["1"]);
  const [card] = list.cards;
  for (const name of ["A", "B", "C"]) change("1", name);
  assert.equal(card.writes, 0);
  cards.draw();
  assert.deepEqual([card.field.textContent, card.writes, cards.isWaiting], ["C", 1, false]);
  change("1", "D");
  cards.draw();
  assert.deepEqual([card.field.textContent, card.writes, card.searches], ["D", 2, 1]);
});

test("a pet that was added and removed before it was drawn never appears", () => {
  const { cards, change, remove, shown } = openCards(["1"]);
  change("2", "New");
  remove("2");
  cards.draw();
  assert.deepEqual(shown(), ["1"]);
});

test("a card out of view needs no frame, is drawn later, and is not marked", () => {
  const { cards, list, outOfView, marked, change } = openCards(["1", "2"]);
  const [near, far] = list.cards;
  outOfView.add(far);
  assert.equal(change("2", "Far"), false);
  assert.equal(change("1", "Near"), true);
  cards.draw();
  assert.deepEqual([near.field.textContent, far.field.textContent, cards.isWaiting], ["Near", "", true]);
  cards.drawAll();
  assert.deepEqual([far.field.textContent, cards.isWaiting], ["Far", false]);
  assert.deepEqual(marked, [near]);
});

test("a card that comes into view shows what has changed meanwhile", () => {
  const { cards, list, outOfView, change } = openCards(["1"]);
  outOfView.add(list.cards[0]);
  change("1", "Far");
  outOfView.clear();
  cards.draw();
  assert.equal(list.cards[0].field.textContent, "Far");
});

test("cards that come and go are drawn wherever they are", () => {
  const { cards, list, outOfView, change, remove, shown } = openCards(["1"]);
  outOfView.add(list.cards[0]);
  assert.equal(change("2", "New"), true);
  cards.draw();
  remove("1");
  assert.deepEqual(shown(), ["2"]);
});
