// @ts-check
/** The script of the screen in the lobby: live like the index, a few pets at a time, without controls, for weeks. */
import { Board } from "../petstore/board/board.js";
import { Controls } from "./lobby/controls.js";
import { Profiles } from "./lobby/profiles.js";
import { ScreenLock } from "./lobby/screen-lock.js";
import { SlideShow } from "./lobby/slide-show.js";
import { Slides } from "./lobby/slides.js";
import { startClocks } from "./page/clocks.js";
import { startLive } from "./page/live.js";
import { clockText } from "./state/time-text.js";
import { Cards } from "./view/cards.js";
import { Highlight } from "./view/highlight.js";
import { PauseButton } from "./view/pause-button.js";
import { setText } from "./view/text.js";
import { siteAddress } from "./page/site.js";
/** @import { Change } from "../petstore/board/pet.js" */

/** As in the style sheet: nothing is rotated where motion is not wanted, or where a slide does not fit. */
const SLIDE_SHOW = "(prefers-reduced-motion: no-preference) and (min-width: 40rem) and (min-height: 30rem)";

// One slide of the page without JavaScript has only some of the pets.
if (new URLSearchParams(location.search).has("slide")) location.replace(location.pathname);
else startLobby();

function startLobby() {
  const clocks = startClocks();
  const { clock, serverClock, tick, inView, times } = clocks;
  const highlight = new Highlight(clock);
  const cards = new Cards({ document, times, highlight, inView });
  const board = new Board(document.body.dataset.cursor ?? "", cards.read());
  const slides = new Slides(clock);
  const isAllowed = matchMedia(SLIDE_SHOW);
  const show = new SlideShow({ document, slides, isAllowed });
  const live = startLive({ clocks, board, chaos: "", onleave: () => highlight.stop() });

  live.watch.addEventListener("change", ({ detail }) => {
    cards.put(detail);
    live.redraw.schedule();
  });
  live.redraw.add(() => {
    cards.draw();
    show.draw();
    drawCounts(board);
  });
  const face = document.querySelector("#clock");
  tick.add(() => {
    if (cards.isWaiting) cards.drawAll();
    if (isAllowed.matches && slides.advance()) show.draw();
    if (face) setText(face, clockText(serverClock.now()));
  });
  isAllowed.addEventListener("change", () => show.draw());
  tick.now();

  startProfiles();
  startControls();
  show.draw();

  function startProfiles() {
    const profiles = new Profiles({ fetch: (...args) => fetch(...args), site: siteAddress(), clock });
    profiles.onread = (read) => {
      /** @type {Change[]} */
      const changes = [];
      for (const profile of read) {
        const pet = board.get(profile.id);
        if (pet) changes.push({ id: pet.id, after: { ...pet, ...profile } });
      }
      cards.put(changes);
      cards.drawAll();
    };
    live.watch.addEventListener("snapshot", () => profiles.need());
    tick.add(profiles.tick);
  }

  function startControls() {
    const controls = new Controls({ document, clock });
    controls.start();
    const lock = new ScreenLock({ source: navigator.wakeLock, document, clock });
    lock.onchange = (isHeld) => controls.drawLock(isHeld);
    lock.start();
    tick.add(lock.tick);
    const button = new PauseButton(document);
    button.ontoggle = (isPaused) => {
      if (isPaused) slides.isPaused = true;
      else slides.resume();
      show.draw();
    };
    button.start();
  }
}

/** Shows how many pets have each status. @param {Board} board */
function drawCounts(board) {
  for (const place of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-count]"))) {
    const pets = [...board].filter(({ status }) => status === place.dataset.count);
    setText(place, String(pets.length));
    place.closest("[data-own]")?.toggleAttribute("hidden", pets.length === 0);
  }
}
