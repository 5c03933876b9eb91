/**
 * A server as small as it can be and still keep the promises of the real one: a history of changes, hello on every
 * connection, a replay or a snapshot after it, then each change once, and heartbeats.
 */

const HEARTBEAT_MS = 15_000;

/** Over SSE, what is no heartbeat is followed by one. */
const FOLLOW_MS = 250;

/** Changes that are kept for those who come back; older cursors get a snapshot. */
const BACKLOG = 20;

const STATUSES = ["eating", "bathing", "sleeping", "playing"];

export class ModelServer {
  isUp = true;
  /** Every board there ever was, by its cursor, as one text each. @type {Map<string, string>} */
  boards = new Map();
  #clock;
  #pick;
  #epoch;
  /** @type {any[]} The change with rev `n` is at `n - 1`. */
  #changes = [];
  /** @type {Map<number, any>} */
  #pets = new Map();
  /** @type {Set<Viewer>} */
  #viewers = new Set();

  /**
   * @param {import("./fakes.mjs").FakeClock} clock
   * @param {(from: number, below: number) => number} pick  A whole number by chance.
   */
  constructor(clock, pick) {
    this.#clock = clock;
    this.#pick = pick;
    this.beginHistory();
  }

  /** Another store: another epoch, other pets, revs from the start. */
  beginHistory() {
    this.#epoch = this.#pick(0, 2 ** 32).toString(16).padStart(8, "0");
    this.#changes = [];
    this.#pets.clear();
    for (let id = 1; id <= 4; id += 1) this.#pets.set(id, this.#pet(id));
    this.#note();
  }

  get cursor() {
    return `${this.#epoch}-${this.#changes.length}`;
  }

  get board() {
    return boardText(this.#pets.values());
  }

  get pets() {
    return [...this.#pets.values()].map((pet) => ({ ...pet, id: String(pet.id) }));
  }

  /** Something happens to some pet. */
  commit() {
    const id = this.#pick(1, 7);
    const pet = this.#pets.get(id);
    const kind = !pet ? "pet" : ["status", "status", "status", "status", "pet", "gone"][this.#pick(0, 6)];
    if (kind === "gone") this.#pets.delete(id);
    else if (kind === "status") this.#pets.set(id, { ...pet, status: this.#status(), since: this.time() });
    else this.#pets.set(id, pet ? { ...pet, name: `Pet ${id}, again` } : this.#pet(id));
    const cursor = `${this.#epoch}-${this.#changes.length + 1}`;
    const { name, status, since } = this.#pets.get(id) ?? {};
    const fields = { gone: {}, status: { status, since, by: "simulator" }, pet: { name, status, since } }[kind];
    this.#changes.push({ type: kind, cursor, pet: id, ...fields });
    this.#note();
    for (const viewer of this.#viewers) viewer.tell(this.#changes.at(-1));
  }

  /** Ends every connection: with a word, or killed. */
  stop(isKilled) {
    this.isUp = false;
    for (const viewer of [...this.#viewers]) {
      if (!isKilled) viewer.send({ type: "bye", reason: "stopping", retry_ms: this.#pick(0, 2000) });
      viewer.hangUp();
    }
  }

  /**
   * @param {{ name: string, since: string, isInParts: boolean, send: (message: any) => void, hangUp: () => void }} link
   * @returns {() => void} Called when it is gone.
   */
  join({ name, since, isInParts, send, hangUp }) {
    const viewer = new Viewer({ clock: this.#clock, server: this, isFollowed: name === "sse", send, hangUp });
    for (const message of this.open(name, since)) {
      const isSplit = isInParts && message.type === "snapshot";
      for (const told of isSplit ? parts(message) : [message]) viewer.tell(told);
    }
    this.#viewers.add(viewer);
    return () => (this.#viewers.delete(viewer), viewer.stop());
  }

  /** Hello, and what was missed. */
  open(transport, since) {
    const missed = this.#after(since);
    const cursor = missed ? since : this.cursor;
    const hello = { type: "hello", cursor, transport, heartbeat_ms: HEARTBEAT_MS, server_time: this.time() };
    return [hello, ...(missed ?? [this.snapshot()])];
  }

  snapshot() {
    const pets = [...this.#pets.values()];
    return { type: "snapshot", cursor: this.cursor, pets };
  }

  heartbeat() {
    return { type: "heartbeat", cursor: this.cursor, server_time: this.time() };
  }

  time() {
    // The server's clock has nothing to do with the page's, which is set and sleeps.
    return new Date(Date.parse("2031-03-01T00:00:00Z") + this.#clock.elapsed()).toISOString();
  }

  /** @returns {any[] | null} */
  #after(since) {
    const [epoch, rev] = since.split("-");
    const isKept = epoch === this.#epoch && Number(rev) <= this.#changes.length;
    return isKept && this.#changes.length - Number(rev) <= BACKLOG ? this.#changes.slice(Number(rev)) : null;
  }

  #pet(id) {
    return { id, name: `Pet ${id}`, status: this.#status(), since: this.time() };
  }

  #status() {
    return STATUSES[this.#pick(0, STATUSES.length)];
  }

  #note() {
    this.boards.set(this.cursor, this.board);
  }
}

/** One connection that stays open. */
class Viewer {
  #clock;
  #server;
  #isFollowed;
  #cancel = () => {};

  constructor({ clock, server, isFollowed, send, hangUp }) {
    this.#clock = clock;
    this.#server = server;
    this.#isFollowed = isFollowed;
    this.send = send;
    this.hangUp = hangUp;
  }

  tell(message) {
    this.#cancel();
    const waitMs = this.#isFollowed && message.type !== "heartbeat" ? FOLLOW_MS : HEARTBEAT_MS;
    this.#cancel = this.#clock.after(waitMs, () => this.tell(this.#server.heartbeat()));
    this.send(message);
  }

  stop() {
    this.#cancel();
  }
}

/** A snapshot as messages of one pet each. */
function parts({ type, cursor, pets }) {
  const groups = pets.length === 0 ? [[]] : pets.map((pet) => [pet]);
  return groups.map((group, index) => ({ type, cursor, part: index + 1, parts: groups.length, pets: group }));
}

/** A board as a text that is the same for the same board. */
export function boardText(pets) {
  const lines = [...pets].map(({ id, name, status, since }) => `${id} ${name} ${status} ${since}`);
  return lines.sort().join("\n");
}
