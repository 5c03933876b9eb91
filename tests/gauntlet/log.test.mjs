/**
 * The log behind nginx and Varnish, as in the guide: hundreds of readers are a few requests to the program, and none of
 * them misses, repeats or reorders a change.
 */
import assert from "node:assert/strict";
import { Agent, get } from "node:http";
import { describe, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import * as nginx from "./boxes/nginx.mjs";
import * as varnish from "./boxes/varnish.mjs";
import { Feed } from "./support/feed.mjs";
import { PETS, revOf, startForVisitors } from "./support/subject.mjs";

const READERS = 300;
const LONG_MS = 6_000;
const EVERY_MS = 500;

/** The least number of changes, which a busy machine takes longer to make. */
const CHANGES = 10;

/** Requests per second that may reach the program. */
const REACHING = 4;

const COUNT = 'petstore_http_request_duration_seconds_count{route="/live/log",status_class="2xx"}';

describe("the log reaches hundreds of readers by a few requests, behind", () => {
  for (const [name, box] of Object.entries({ nginx, varnish })) test(name, () => collapses(box.recommended));
});

async function collapses(start) {
  const subject = await startForVisitors(PETS);
  const box = await start(subject.address);
  const agent = new Agent({ keepAlive: true });
  /** @type {Reader[]} */
  let readers = [];
  try {
    const feed = new Feed((pet, status) => subject.setStatus(pet, status), { pets: PETS, everyMs: EVERY_MS });
    const begun = Date.now();
    const rev = (await subject.board()).rev;
    // A third of them has no cursor yet, and is led to a state.
    readers = Array.from({ length: READERS }, (_, number) => new Reader(box.origin, agent, number % 3 === 0));
    const following = Promise.all(readers.map((reader) => reader.follow()));
    await Promise.race([pause(1_000), following]);
    feed.start();
    await pause(LONG_MS);
    await until(async () => (await subject.board()).rev >= rev + CHANGES);
    await feed.stop();
    const newest = (await subject.board()).rev;
    await until(() => readers.every((reader) => reader.reached >= newest));
    const seconds = (Date.now() - begun) / 1_000;
    for (const reader of readers) reader.stop();
    await following;
    const committed = (await subject.history(rev)).map((fact) => fact.rev);
    assert.ok(committed.length >= CHANGES, `${committed.length} changes`);
    for (const { seen, start } of readers) assert.deepEqual(seen, committed.filter((rev) => rev > start));
    const asked = await subject.metric(COUNT);
    assert.ok(asked <= REACHING * seconds, `${asked} requests in ${seconds} s`);
    const answers = readers.reduce((sum, reader) => sum + reader.answers, 0);
    assert.ok(answers > READERS * 5, `${answers} answers`);
  } finally {
    for (const reader of readers) reader.stop();
    agent.destroy();
    await box.stop();
    await subject.stop();
  }
}

/** Follows the log from the newest state, as the documentation says. */
class Reader {
  #origin;
  #agent;
  #isStopped = false;
  #stop = () => {};
  #isNew;
  /** Where the log begins for this reader. */
  start = Infinity;
  reached = -1;
  answers = 0;
  /** @type {number[]} */
  seen = [];

  constructor(origin, agent, isNew) {
    this.#origin = origin;
    this.#agent = agent;
    this.#isNew = isNew;
  }

  async follow() {
    let next = this.#isNew ? "/live/log" : `/live/log?since=${await this.#newest()}&slice=0&wait=20`;
    while (!this.#isStopped) {
      const answer = await this.#ask(next);
      if (!answer) return;
      this.answers += 1;
      for (const message of answer.messages) this.#take(message);
      this.#reach(revOf(answer.cursor));
      next = answer.next;
    }
  }

  stop() {
    this.#isStopped = true;
    this.#stop();
  }

  async #newest() {
    const { cursor } = await this.#ask("/live/state");
    this.#reach(revOf(cursor));
    return cursor;
  }

  #take({ type, cursor, after }) {
    const rev = revOf(cursor);
    if (type !== "snapshot") {
      assert.ok(revOf(after) <= this.reached && rev > this.reached, `${rev} after ${after} at ${this.reached}`);
      this.seen.push(rev);
    }
    this.#reach(rev);
  }

  #reach(rev) {
    this.start = Math.min(this.start, rev);
    this.reached = Math.max(this.reached, rev);
  }

  /** @returns {Promise<any>} The answer after redirects; undefined if the reader was stopped. */
  #ask(path) {
    return new Promise((resolve, reject) => {
      const request = get(this.#origin + path, { agent: this.#agent }, (response) => {
        if (response.statusCode === 307) {
          response.resume();
          return resolve(this.#ask(response.headers.location));
        }
        if (response.statusCode !== 200) return reject(new Error(`${path}: ${response.statusCode}`));
        const pieces = [];
        response.on("data", (piece) => pieces.push(piece));
        response.on("end", () => resolve(JSON.parse(Buffer.concat(pieces).toString())));
      });
      request.on("error", (error) => (this.#isStopped ? resolve(undefined) : reject(error)));
      this.#stop = () => request.destroy();
    });
  }
}

async function until(isTrue) {
  for (let tries = 0; tries < 500; tries += 1) {
    if (await isTrue()) return;
    await pause(20);
  }
  assert.fail(`not within 10 s: ${isTrue}`);
}
