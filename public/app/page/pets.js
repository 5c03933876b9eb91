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
import { startFrame } from "./frame.js";
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
  const frame = startFrame();
  const highlight = new Highlight(frame.clock);
  const cards = new Cards({ document, times: frame.times, highlight });
  const board = new Board(page.cursor ?? "", cards.read());
  const pause = new Pause(board);
  const saving = save?.(board, frame.clock);
  const onleave = () => (highlight.stop(), saving?.stop());
  const live = startLive({ frame, board, pets: page.pets ? [page.pets] : undefined, chaos, onleave });
  cards.onname = (name) => live.title.setText(`${name} · pet-store`);
  const draw = (/** @type {Change[]} */ changes) => {
    cards.draw(changes);
    live.announcements.add(changes);
  };

  live.watch.addEventListener("message", ({ detail }) => saving?.receive(detail));
  live.watch.addEventListener("change", ({ detail }) => draw(pause.filter(detail)));
  for (const type of /** @type {const} */ (["snapshot", "status", "pet", "gone"])) {
    live.watch.addEventListener(type, ({ detail }) => {
      document.dispatchEvent(new CustomEvent("petstore:change", { detail }));
    });
  }

  const button = new PauseButton(document);
  button.onpause = () => {
    pause.pause();
    saving?.setPaused(true);
    frame.times.stop();
    highlight.stop();
    live.status.pause();
    live.drawStatus();
  };
  button.onresume = () => {
    draw(pause.resume());
    saving?.setPaused(false);
    frame.times.start();
    live.status.resume();
    live.drawStatus();
  };
  button.start();
}
