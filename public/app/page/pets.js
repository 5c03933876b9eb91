// @ts-check
/**
 * The index and the page of one pet: the server's HTML is the first state, and the stream continues from its cursor.
 *
 * A page for staff adds its status buttons with `save`.
 */
import { Board } from "../../petstore/board/board.js";
import { Pause } from "../state/pause.js";
import { Cards } from "../view/cards.js";
import { Highlight } from "../view/highlight.js";
import { PauseButton } from "../view/pause-button.js";
import { Summary } from "../view/board/summary.js";
import { startClocks } from "./clocks.js";
import { startLive } from "./live.js";
/** @import { Clock } from "../../petstore/clock.js" */
/** @import { Message } from "../../petstore/protocol/message.js" */
/** @import { Change } from "../../petstore/board/pet.js" */

/**
 * The saves of a page for staff.
 * @typedef {object} Saving
 * @property {(message: Message) => void} receive  Called with each message that the board has applied.
 * @property {(isPaused: boolean) => void} setPaused
 * @property {() => void} stop
 */

/**
 * @param {object} [options]
 * @param {string} [options.chaos]  The simulated network; "" for the real one.
 * @param {(board: Board, clock: Clock) => Saving} [options.save]  Starts the status buttons.
 */
export function startPets({ chaos = "", save } = {}) {
  const page = document.body.dataset;
  const clocks = startClocks();
  const { clock, tick, inView, times } = clocks;
  const highlight = new Highlight(clock);
  const cards = new Cards({ document, times, highlight, inView });
  const board = new Board(page.cursor ?? "", cards.read());
  const pause = new Pause(board);
  const saving = save?.(board, clock);
  const onleave = () => (highlight.stop(), saving?.stop());
  const live = startLive({ clocks, board, pets: page.pets ? [page.pets] : undefined, chaos, onleave });
  const put = (/** @type {Change[]} */ changes) => {
    // A page with some of the pets has no place for others.
    if (page.part !== undefined) changes = changes.filter(({ id }) => cards.has(id));
    if (cards.put(changes)) live.redraw.schedule();
    live.announcements.add(changes);
    // Also read in the list of tabs, where nothing else is drawn.
    for (const { after } of page.pets ? changes : []) if (after?.name) live.title.setText(`${after.name} · ${page.site}`);
  };
  const summary = new Summary(document);
  const list = document.querySelector("#pets");
  const countCards = (/** @type {string} */ status) => list?.querySelectorAll(`.card[data-status="${status}"]`).length ?? 0;
  let drawsAll = false;
  live.redraw.add(() => {
    if (drawsAll) cards.drawAll();
    else cards.draw();
    drawsAll = false;
    // The cards say it, if all pets have one: those of private pets are counted too.
    if (list && page.part === undefined) summary.draw(list.children.length, countCards);
  });
  inView.onenter = () => {
    times.drawDue();
    live.redraw.schedule();
  };
  tick.add(() => {
    if (!cards.isWaiting) return;
    drawsAll = true;
    live.redraw.schedule();
  });

  live.watch.addEventListener("message", ({ detail }) => saving?.receive(detail));
  live.watch.addEventListener("change", ({ detail }) => put(pause.filter(detail)));
  for (const type of /** @type {const} */ (["snapshot", "status", "pet", "gone"])) {
    live.watch.addEventListener(type, ({ detail }) => {
      document.dispatchEvent(new CustomEvent("petstore:change", { detail }));
    });
  }

  const button = new PauseButton(document);
  button.ontoggle = (isPaused) => {
    if (isPaused) {
      cards.drawAll();
      pause.pause();
      times.stop();
      highlight.stop();
      live.status.pause();
    } else {
      put(pause.resume());
      times.start();
      live.status.resume();
    }
    saving?.setPaused(isPaused);
    live.drawStatus();
  };
  button.start();
}
