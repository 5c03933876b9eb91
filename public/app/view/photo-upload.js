// @ts-check
/**
 * The form that adds photos: sends what was chosen, taken or dropped immediately, one file after another, and shows the
 * progress and the problem of each. Without this script the form is sent as a whole.
 */
/** @import { PhotoResult } from "../server/photos.js" */

export class PhotoUpload {
  #form;
  #send;
  #reload;
  #list;
  /** Files that wait, each with its line. @type {{ file: File, line: HTMLElement }[]} */
  #queue = [];
  #isSending = false;
  #hasProblem = false;
  #hasSent = false;

  /**
   * @param {object} options
   * @param {HTMLFormElement} options.form
   * @param {(file: File, onprogress: (share: number) => void) => Promise<PhotoResult>} options.send
   * @param {() => void} options.reload  Shows the page with the new photos.
   */
  constructor({ form, send, reload }) {
    this.#form = form;
    this.#send = send;
    this.#reload = reload;
    this.#list = /** @type {HTMLElement} */ (form.querySelector(".photo-progress"));
  }

  start() {
    const form = this.#form;
    form.addEventListener("change", ({ target }) => {
      const input = /** @type {HTMLInputElement} */ (target);
      this.#add(input.files);
      input.value = "";
    });
    form.addEventListener("submit", (event) => event.preventDefault());
    form.addEventListener("dragover", (event) => {
      event.preventDefault();
      form.classList.add("dropping");
    });
    form.addEventListener("dragleave", () => form.classList.remove("dropping"));
    form.addEventListener("drop", (event) => {
      event.preventDefault();
      form.classList.remove("dropping");
      this.#add(event.dataTransfer?.files);
    });
    // The files are sent as soon as they are chosen.
    form.querySelector(".form-end")?.setAttribute("hidden", "");
  }

  /** @param {FileList | null | undefined} files */
  #add(files) {
    for (const file of files ?? []) {
      const line = this.#list.appendChild(document.createElement("li"));
      line.textContent = `${file.name}: waiting`;
      this.#queue.push({ file, line });
    }
    if (!this.#isSending) void this.#sendAll();
  }

  async #sendAll() {
    this.#isSending = true;
    for (let next = this.#queue.shift(); next; next = this.#queue.shift()) await this.#sendOne(next.file, next.line);
    this.#isSending = false;
    // The problems stay in front of the reader until the next photo.
    if (this.#hasSent && !this.#hasProblem) this.#reload();
  }

  /** @param {File} file @param {HTMLElement} line */
  async #sendOne(file, line) {
    const bar = document.createElement("progress");
    bar.max = 1;
    bar.value = 0;
    bar.setAttribute("aria-label", file.name);
    line.replaceChildren(file.name, bar);
    const result = await this.#send(file, (share) => {
      // Everything is sent: the server works on the photo.
      if (share < 1) bar.value = share;
      else bar.removeAttribute("value");
    });
    if ("done" in result) {
      this.#hasSent = true;
      line.textContent = `${file.name}: added`;
    } else {
      this.#hasProblem = true;
      line.className = "field-error";
      line.textContent = `${file.name}: ${result.problem}`;
      this.#offerReload();
    }
  }

  /** Lets the reader continue after a problem. */
  #offerReload() {
    if (this.#form.querySelector(".photo-continue")) return;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "button photo-continue";
    button.textContent = "Show the photos";
    button.addEventListener("click", () => this.#reload());
    this.#list.after(button);
  }
}
