// @ts-check
/** The network doctor's page: a row for each connection type, the summary, the advice, and the report. */
import { setText } from "../view/text.js";
/** @import { Results } from "./results.js" */

export class DoctorPage {
  /** The button was pressed: stops the test, or runs it again. */
  onrun = () => {};
  /** @type {(text: string) => Promise<void>} Copies to the clipboard. Rejects if the browser forbids it. */
  oncopy = () => Promise.reject();
  #document;

  /** @param {Document} document */
  constructor(document) {
    this.#document = document;
  }

  start() {
    this.#get("doctor-plain").hidden = true;
    this.#get("doctor").hidden = false;
    this.#get("doctor-run").addEventListener("click", () => this.onrun());
    this.#get("doctor-copy").addEventListener("click", () => this.#copy());
  }

  /** @param {Results} results @param {string} report */
  draw({ rows, summary, advice }, report) {
    for (const { probe, verdict, result, measured, idle } of rows) {
      const row = /** @type {HTMLElement | null} */ (this.#document.querySelector(`[data-probe="${probe}"]`));
      if (!row) continue;
      row.dataset.verdict = verdict;
      for (const [name, text] of Object.entries({ result, measured, idle })) {
        const cell = row.querySelector(`[data-cell="${name}"]`);
        if (cell) setText(cell, text);
      }
    }
    setText(this.#get("doctor-summary"), summary);
    this.#drawAdvice(advice);
    const field = /** @type {HTMLTextAreaElement} */ (this.#get("doctor-report"));
    if (field.value !== report) field.value = report;
  }

  /**
   * @param {string} note  How far the test has come. Screen readers announce each change, so it has no counter.
   * @param {boolean} isRunning
   */
  drawNote(note, isRunning) {
    setText(this.#get("doctor-note"), note);
    setText(this.#get("doctor-run"), isRunning ? "Stop" : "Run again");
  }

  /**
   * @param {number | null} doneMs  For how long connections have been idle; null before and after that.
   * @param {number} totalMs
   */
  drawProgress(doneMs, totalMs) {
    const bar = /** @type {HTMLProgressElement} */ (this.#get("doctor-progress"));
    bar.hidden = doneMs === null;
    bar.max = totalMs;
    bar.value = doneMs ?? 0;
  }

  /** @param {string[]} advice */
  #drawAdvice(advice) {
    const section = this.#get("doctor-advice");
    section.hidden = advice.length === 0;
    const list = section.querySelector("ul");
    // Replaced only if it differs, to keep a selection.
    if (!list || [...list.children].map(({ textContent }) => textContent).join() === advice.join()) return;
    const items = advice.map((text) => {
      const item = this.#document.createElement("li");
      item.textContent = text;
      return item;
    });
    list.replaceChildren(...items);
  }

  async #copy() {
    const field = /** @type {HTMLTextAreaElement} */ (this.#get("doctor-report"));
    const copied = this.#get("doctor-copied");
    try {
      await this.oncopy(field.value);
      setText(copied, "Copied.");
    } catch {
      field.focus();
      field.select();
      setText(copied, "The report is selected. Copy it with your keyboard or menu.");
    }
  }

  /** @param {string} id  Of an element in the template of this page. */
  #get(id) {
    return /** @type {HTMLElement} */ (this.#document.getElementById(id));
  }
}
