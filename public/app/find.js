// @ts-check
/**
 * The second script of a page with some of the pets: keeps the summary current, marks pets that do not match any more, and
 * offers those that match now. The page works without it.
 */
import { browserClock, withTimeout } from "../petstore/clock.js";
import { PartCheck } from "./state/part-check.js";
import { Part } from "./view/board/part.js";
import { Summary } from "./view/board/summary.js";
import { siteAddress } from "./page/site.js";
/** @import { PartAnswer } from "./state/part-check.js" */

const LIMIT_MS = 10_000;

startFind();

function startFind() {
  const address = document.body.dataset.part ?? "";
  const doing = new URLSearchParams(address).get("doing");
  const summary = new Summary(document);
  const part = new Part(document, doing);
  /** @returns {Promise<PartAnswer>} */
  const load = () => withTimeout({ clock: browserClock, limitMs: LIMIT_MS }, async (signal) => {
    const answer = await fetch(`${siteAddress()}/api/v1/pets?${address || "page=1"}`, { signal });
    if (!answer.ok) throw new Error(String(answer.status));
    return answer.json();
  });
  const check = new PartCheck({ clock: browserClock, random: Math.random, load, hasStatus: doing !== null });
  check.onanswer = (answer) => {
    summary.draw(answer.total, (status) => answer.statuses[status] ?? 0);
    part.receive(answer);
  };
  const onvisible = () => check.setHidden(document.visibilityState === "hidden");
  document.addEventListener("petstore:change", (event) => check.receive(/** @type {CustomEvent} */ (event).detail.type));
  document.addEventListener("visibilitychange", onvisible);
  onvisible();
  // The cards are marked as they are drawn, also after a pause.
  const list = document.querySelector("#pets");
  const changes = new MutationObserver(() => part.draw());
  if (list) changes.observe(list, { subtree: true, attributeFilter: ["data-status"], childList: true });
}
