// @ts-check
/**
 * The form that adds photos: sends what was chosen, taken or dropped immediately, one file after another, and shows the
 * progress and the problem of each. Without this script the form is sent as a whole.
 */
/** @import { PhotoResult } from "../server/photos.js" */

/** A file with its line on the page, and its key. @typedef {{ file: File, line: HTMLElement, key: string }} Upload */

export class PhotoUpload {
  #form;
  #send;
  #reload;
  #list;
  /** Files that wait. @type {Upload[]} */
  #queue = [];
  #isSending = false;
  /** Files with a problem that are still shown. */
  #problems = 0;
  #hasSent = false;

  /**
   * @param {object} options
   * @param {HTMLFormElement} options.form
   * @param {(sent: { file: File, key: string, onprogress: (share: number) => void }) => Promise<PhotoResult>} options.send
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
    // On the whole page: a browser would show a file that misses the form, and leave the page.
    const page = form.ownerDocument;
    page.addEventListener("dragover", (event) => {
      event.preventDefault();
      form.classList.add("dropping");
    });
    page.addEventListener("dragleave", ({ relatedTarget }) => form.classList.toggle("dropping", relatedTarget !== null));
    page.addEventListener("drop", (event) => {
      event.preventDefault();
      form.classList.remove("dropping");
      this.#add(event.dataTransfer?.files);
    });
    addEventListener("beforeunload", (event) => this.#isSending && event.preventDefault());
    // The files are sent as soon as they are chosen.
    form.querySelector(".form-end")?.setAttribute("hidden", "");
  }

  /** @param {FileList | null | undefined} files */
  #add(files) {
    for (const file of files ?? []) {
      const line = this.#list.appendChild(document.createElement("li"));
      this.#enqueue({ file, line, key: crypto.getRandomValues(new Uint32Array(4)).join("-") });
    }
  }

  /** @param {Upload} upload */
  #enqueue(upload) {
    upload.line.className = "";
    upload.line.textContent = `${upload.file.name}: waiting`;
    this.#queue.push(upload);
    if (!this.#isSending) void this.#sendAll();
  }

  async #sendAll() {
    this.#isSending = true;
    for (let next = this.#queue.shift(); next; next = this.#queue.shift()) await this.#sendOne(next);
    this.#isSending = false;
    // The problems stay in front of the reader until the next photo.
    if (this.#hasSent && this.#problems === 0) this.#reload();
  }

  /** @param {Upload} upload */
  async #sendOne(upload) {
    const { file, line, key } = upload;
    const bar = document.createElement("progress");
    bar.max = 1;
    bar.value = 0;
    bar.setAttribute("aria-label", file.name);
    line.replaceChildren(file.name, bar);
    const onprogress = (/** @type {number} */ share) => {
      // Everything is sent: the server works on the photo.
      if (share < 1) bar.value = share;
      else bar.removeAttribute("value");
    };
    const result = await this.#send({ file, key, onprogress });
    if ("done" in result) {
      this.#hasSent = true;
      line.textContent = `${file.name}: added`;
    } else {
      this.#problems += 1;
      line.className = "field-error";
      line.textContent = `${file.name}: ${result.problem} `;
      if (result.canRetry) line.append(createButton("Try again", () => this.#retry(upload)));
      this.#offerReload();
    }
  }

  /** @param {Upload} upload */
  #retry(upload) {
    this.#problems -= 1;
    this.#enqueue(upload);
  }

  /** Lets the reader continue after a problem. */
  #offerReload() {
    if (this.#form.querySelector(".photo-continue")) return;
    const button = createButton("Show the photos", () => this.#reload());
    button.classList.add("photo-continue");
    this.#list.after(button);
  }
}

/** @param {string} text @param {() => void} onclick */
function createButton(text, onclick) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "button";
  button.textContent = text;
  button.addEventListener("click", onclick);
  return button;
}
