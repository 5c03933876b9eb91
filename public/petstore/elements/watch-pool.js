// @ts-check
/**
 * One watch per server for all elements of a page: its pets are those of the elements that are in the page.
 *
 * Elements come and go in groups, e.g. when a page is parsed or a list is sorted. So the pool acts once after each group.
 */
import { MAX_PETS } from "../watch-options.js";
/** @import { Watch } from "../watch.js" */

/**
 * An element, as the pool sees it.
 * @typedef {object} Member
 * @property {string | null} pet  The id of its pet; null for every pet.
 * @property {() => void} update  Its pet, the connection, or the watch may have changed.
 */

export class WatchPool {
  #watch;
  /** @type {Map<string, Server>} By site. */
  #servers = new Map();

  /** @param {(site: string, options: { pets?: string[] }) => Watch} watch */
  constructor(watch) {
    this.#watch = watch;
  }

  /** @param {string} site */
  server(site) {
    const server = this.#servers.get(site) ?? new Server((pets) => this.#watch(site, { pets }));
    this.#servers.set(site, server);
    return server;
  }
}

/** A server, and the elements that show its pets. */
export class Server {
  /** Null while there are no elements. @type {Watch | null} */
  watch = null;
  #open;
  /** @type {Set<Member>} */
  #members = new Set();
  /** Names the pets of the watch. */
  #key = "";
  #isChanging = false;

  /** @param {(pets: string[] | undefined) => Watch} open  Without pets, for every pet. */
  constructor(open) {
    this.#open = open;
  }

  /** @param {Member} member */
  add(member) {
    this.#members.add(member);
    this.#changed();
  }

  /** @param {Member} member */
  remove(member) {
    this.#members.delete(member);
    this.#changed();
  }

  #changed() {
    if (this.#isChanging) return;
    this.#isChanging = true;
    queueMicrotask(() => {
      this.#isChanging = false;
      this.#follow();
    });
  }

  /** Makes the watch fit the elements. */
  #follow() {
    if (this.#members.size === 0) return this.#close();
    const ids = new Set([...this.#members].map(({ pet }) => pet));
    const isEvery = ids.has(null) || ids.size > MAX_PETS;
    const pets = isEvery ? undefined : /** @type {string[]} */ ([...ids].sort());
    const key = String(pets);
    if (!this.watch) this.watch = this.#start(pets);
    else if (key !== this.#key) this.watch.setPets(pets);
    this.#key = key;
    this.#updateAll();
  }

  /** @param {string[] | undefined} pets */
  #start(pets) {
    const watch = this.#open(pets);
    watch.addEventListener("snapshot", this.#updateAll);
    watch.addEventListener("connection", this.#updateAll);
    watch.addEventListener("change", (event) => {
      const changed = new Set(/** @type {CustomEvent} */ (event).detail.map((/** @type {{ id: string }} */ { id }) => id));
      for (const member of this.#members) if (member.pet === null || changed.has(member.pet)) member.update();
    });
    return watch;
  }

  #updateAll = () => {
    for (const member of this.#members) member.update();
  };

  #close() {
    this.watch?.close();
    this.watch = null;
  }
}
