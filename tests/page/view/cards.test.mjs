/** The cards of the index: each in its place by id. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Cards } from "../../../public/app/view/cards.js";
import { fake } from "../support/fakes.mjs";

/** A card with an id, and nothing to draw in. */
class FakeCard {
  /** @type {FakeList | undefined} */
  list;

  constructor(id = "") {
    this.dataset = { pet: id };
  }

  querySelector() {
    return null;
  }

  querySelectorAll() {
    return [];
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
  const quiet = { draw() {}, show() {} };
  const cards = new Cards({ document: fake(document), times: quiet, highlight: quiet });
  const put = (/** @type {string[]} */ ...ids) => cards.draw(ids.map((id) => ({ id, after: { id } })));
  const remove = (/** @type {string[]} */ ...ids) => cards.draw(ids.map((id) => ({ id, before: { id } })));
  return { put, remove, shown: () => list.cards.map(({ dataset }) => dataset.pet) };
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
