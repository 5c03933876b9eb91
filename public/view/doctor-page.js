// @ts-check
/** The network doctor's page: a row for each way, what it means, what to ask for, and the report. */
import { setText } from "./text.js";

/** @typedef {import("../state/doctor/results.js").Examination} Examination */

export class DoctorPage {
  /** The button was pressed: stop what runs, or run again. */
  onrun = () => {};
  /** @type {(text: string) => Promise<void>} Puts a text on the clipboard. Fails where the browser forbids it. */
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

  /**
   * @param {Examination} examination
   * @param {string} report
   */
  draw({ rows, summary, asks }, report) {
    for (const { way, verdict, result, measured, quiet } of rows) {
      const row = /** @type {HTMLElement | null} */ (this.#document.querySelector(`[data-way="${way}"]`));
      if (!row) continue;
      row.dataset.verdict = verdict;
      for (const [name, text] of Object.entries({ result, measured, quiet })) {
        const cell = row.querySelector(`[data-cell="${name}"]`);
        if (cell) setText(cell, text);
      }
    }
    setText(this.#get("doctor-summary"), summary);
    this.#drawAsks(asks);
    const field = /** @type {HTMLTextAreaElement} */ (this.#get("doctor-report"));
    if (field.value !== report) field.value = report;
  }

  /**
   * Read out where it changes, so it holds no counter.
   * @param {string} note  How far the test has come.
   * @param {boolean} isRunning
   */
  drawNote(note, isRunning) {
    setText(this.#get("doctor-note"), note);
    setText(this.#get("doctor-run"), isRunning ? "Stop" : "Run again");
  }

  /**
   * @param {number | null} doneMs  For how long connections have been left alone; null while they are not.
   * @param {number} ofMs
   */
  drawProgress(doneMs, ofMs) {
    const bar = /** @type {HTMLProgressElement} */ (this.#get("doctor-progress"));
    bar.hidden = doneMs === null;
    bar.max = ofMs;
    bar.value = doneMs ?? 0;
  }

  /** @param {string[]} asks */
  #drawAsks(asks) {
    const section = this.#get("doctor-asks");
    section.hidden = asks.length === 0;
    const list = section.querySelector("ul");
    // Drawn anew only where it changes, so that a selection stays.
    if (!list || [...list.children].map(({ textContent }) => textContent).join() === asks.join()) return;
    const items = asks.map((ask) => {
      const item = this.#document.createElement("li");
      item.textContent = ask;
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
      setText(copied, "The report is selected: copy it with your keyboard or menu.");
    }
  }

  /** @param {string} id  Of an element that the template of this page has. */
  #get(id) {
    return /** @type {HTMLElement} */ (this.#document.getElementById(id));
  }
}
