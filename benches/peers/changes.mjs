// What every peer sends: changes of the shape, the size and the pace of pet-store's simulator.

const EPOCH = "9f2c41aa";
const STATUSES = ["eating", "bathing", "sleeping", "playing"];

/** What is due goes together, as in pet-store: thousands of changes are not thousands of timers. */
const SHORTEST_TICK_MS = 5;

/** RFC 3339 with microseconds. */
function now() {
  const micros = Math.round((performance.timeOrigin + performance.now()) * 1000);
  const millis = new Date(Math.floor(micros / 1000)).toISOString().slice(0, -1);
  return `${millis}${String(micros % 1000).padStart(3, "0")}Z`;
}

/**
 * Calls `send` with one change after the other, `perSecond` of them; with none, when it is 0.
 *
 * Each waits for its own moment, as in pet-store. An interval would now and then find none and
 * then two at once, which a server sends as one.
 */
export function makeChanges({ pets, perSecond }, send) {
  if (perSecond === 0) return;
  const start = performance.now();
  let rev = 0;
  const takeTurns = () => {
    const due = Math.floor(((performance.now() - start) * perSecond) / 1000);
    while (rev < due) {
      rev += 1;
      const status = STATUSES[(rev * 7) % 4];
      const pet = (rev % pets) + 1;
      send({ type: "status", cursor: `${EPOCH}-${rev}`, pet, status, since: now(), by: "simulator" });
    }
    const next = start + ((rev + 1) * 1000) / perSecond - performance.now();
    setTimeout(takeTurns, Math.max(Math.ceil(next), SHORTEST_TICK_MS));
  };
  takeTurns();
}

/** The arguments of each peer: port, pets, changes per second. */
export function settings(argv) {
  const [port, pets, perSecond] = argv.slice(2).map(Number);
  return { port, pets, perSecond };
}
