// @ts-check
/** The status buttons of a page for staff, connected with what tracks and sends the saves. */
import { Commands } from "../server/commands.js";
import { Saves } from "../state/saves.js";
import { StatusButtons } from "../view/status-buttons.js";
import { siteAddress } from "./site.js";
/** @import { Board } from "../../petstore/board/board.js" */
/** @import { Clock } from "../../petstore/clock.js" */

/** @param {Board} board @param {Clock} clock */
export function startSaving(board, clock) {
  const commands = new Commands({ fetch: (...args) => fetch(...args), site: siteAddress(), clock });
  const saves = new Saves({ clock, send: (pet, status, edit) => commands.setStatus(pet, status, edit), board });
  const buttons = new StatusButtons(document);
  saves.onchange = (pet, shown) => buttons.draw(pet, shown);
  buttons.onset = (pet, status, edit) => saves.set(pet, status, edit);
  buttons.onundo = (pet) => saves.undo(pet);
  buttons.start();
  return saves;
}
