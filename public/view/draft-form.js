// @ts-check
/**
 * The form of a pet: puts an unsaved draft back into it, keeps what is typed, and sends it without leaving the page.
 *
 * What the server refuses is submitted once more as a plain form: the server's page says why and holds the text.
 *
 * The form belongs to the account that it was rendered for. A readable cookie says who is signed in now: once that is
 * somebody else or nobody, the form keeps no more drafts, and the page empties itself when Back returns to it.
 */
import { momentText } from "../state/time-text.js";
import { setText } from "./text.js";

/** @typedef {import("../state/drafts.js").Fields} Fields */

/** The token is valid for one page, so it is never kept. */
const FORM_TOKEN = "form-token";

export class DraftForm {
  #document;
  #location;
  #drafts;
  #clock;
  #send;
  #isReturnedTo;
  /** @type {HTMLFormElement | null} */
  #form = null;
  #name = "";
  /** The visible fields as the server rendered them. @type {Fields} */
  #rendered = {};
  /** The hidden fields as the server rendered them. @type {Fields} */
  #hidden = {};
  #isSending = false;
  #isPlain = false;

  /**
   * @param {object} parts
   * @param {Document} parts.document
   * @param {Pick<Location, "assign" | "replace" | "href">} parts.location
   * @param {import("../state/drafts.js").Drafts} parts.drafts
   * @param {import("../live/clock.js").Clock} parts.clock
   * @param {(url: string, body: URLSearchParams) => Promise<import("../live/form-sender.js").Outcome>} parts.send
   * @param {boolean} parts.isReturnedTo  Back or Forward led to the page.
   */
  constructor({ document, location, drafts, clock, send, isReturnedTo }) {
    this.#document = document;
    this.#location = location;
    this.#drafts = drafts;
    this.#clock = clock;
    this.#send = send;
    this.#isReturnedTo = isReturnedTo;
  }

  start() {
    this.#drafts.removeExpired();
    this.#form = this.#document.querySelector("form[data-draft]");
    const form = this.#form;
    if (!form) return;
    this.#document.defaultView?.addEventListener("pageshow", this.#onpageshow);
    if (this.#isReturnedTo && !this.#isOwn(form)) {
      this.#leave();
      return;
    }
    this.#name = form.dataset.draft ?? "";
    this.#rendered = renderedFields(form);
    this.#hidden = hiddenFields(form);
    form.addEventListener("input", this.#oninput);
    form.addEventListener("submit", this.#onsubmit);
    this.#document.querySelector("[data-draft-discard]")?.addEventListener("click", this.#ondiscard);
    // The server's answer to this form already holds the text.
    if ("entered" in form.dataset) this.#keep(form);
    else this.#restore(form);
  }

  /** @param {HTMLFormElement} form */
  #isOwn(form) {
    const { accountCookie } = form.dataset;
    return accountCookie === undefined || this.#document.cookie.split("; ").includes(accountCookie);
  }

  /** Shows nothing of what somebody else typed, and requests the page from the server again. */
  #leave() {
    this.#form = null;
    this.#document.querySelector("main")?.replaceChildren();
    this.#location.replace(this.#location.href);
  }

  #onpageshow = (/** @type {PageTransitionEvent} */ { persisted }) => {
    if (persisted && this.#form && !this.#isOwn(this.#form)) this.#leave();
  };

  /** @param {HTMLFormElement} form */
  #restore(form) {
    const draft = this.#drafts.read(this.#name);
    if (!draft) return;
    if (isSame(draft.fields, typedFields(form)) && isSame(draft.fields, this.#rendered)) {
      this.#drafts.remove(this.#name);
      return;
    }
    fill(form, draft.fields);
    fillHidden(form, draft.hidden);
    this.#say(`Unsaved text from ${momentText(draft.savedAt, this.#clock.now())} was restored.`, { canDiscard: true });
  }

  /** @param {HTMLFormElement} form */
  #keep(form) {
    if (!this.#isOwn(form)) return;
    const fields = typedFields(form);
    if (isSame(fields, this.#rendered) && !("entered" in form.dataset)) this.#drafts.remove(this.#name);
    else this.#drafts.write(this.#name, { fields, hidden: hiddenFields(form) });
  }

  /**
   * @param {string} text
   * @param {{ canDiscard?: boolean, isError?: boolean }} [as]
   */
  #say(text, { canDiscard = false, isError = false } = {}) {
    const notice = this.#document.querySelector("[data-draft-notice]");
    const words = notice?.querySelector("[data-draft-text]");
    if (!notice || !words) return;
    notice.classList.toggle("notice-error", isError);
    notice.querySelector("[data-draft-discard]")?.toggleAttribute("hidden", !canDiscard);
    notice.toggleAttribute("hidden", text === "");
    setText(words, text);
    if (isError) notice.scrollIntoView({ block: "nearest" });
  }

  #oninput = () => {
    if (this.#form) this.#keep(this.#form);
  };

  #ondiscard = () => {
    const form = this.#form;
    if (!form) return;
    this.#drafts.remove(this.#name);
    fill(form, this.#rendered);
    fillHidden(form, this.#hidden);
    this.#say("Discarded.");
    /** @type {HTMLElement | null} */ (form.querySelector("input:not([type=hidden])"))?.focus();
  };

  #onsubmit = async (/** @type {SubmitEvent} */ event) => {
    const form = this.#form;
    if (!form || this.#isPlain) return;
    event.preventDefault();
    if (this.#isSending) return;
    const { submitter } = event;
    if (this.#isOwn(form)) this.#drafts.write(this.#name, { fields: typedFields(form), hidden: hiddenFields(form) });
    this.#setSending(submitter, true);
    const outcome = await this.#send(form.action, bodyOf(form, submitter));
    this.#setSending(submitter, false);
    if ("saved" in outcome) {
      this.#drafts.remove(this.#name);
      this.#location.assign(outcome.saved);
    } else if ("refused" in outcome) {
      this.#isPlain = true;
      form.requestSubmit(submitter);
    } else {
      this.#say(`Not saved. ${outcome.problem} Your text is kept on this page.`, { isError: true });
    }
  };

  /**
   * @param {HTMLElement | null} submitter
   * @param {boolean} isSending
   */
  #setSending(submitter, isSending) {
    this.#isSending = isSending;
    if (isSending) this.#say("Saving…");
    else this.#say("");
    if (isSending) submitter?.setAttribute("aria-busy", "true");
    else submitter?.removeAttribute("aria-busy");
  }
}

/**
 * Whoever signs out leaves no text behind for the next person at this browser. Drafts of other accounts stay.
 * @param {Document} document
 * @param {import("../state/drafts.js").Drafts} drafts
 */
export function discardAtSignOut(document, drafts) {
  /** @type {HTMLFormElement | null} */
  const form = document.querySelector('form[action="/sign-out"]');
  form?.addEventListener("submit", () => drafts.removeOf(form.dataset.account ?? ""));
}

/** @typedef {HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement} Control */

/** @param {HTMLFormElement} form */
const controls = (form) =>
  /** @type {Control[]} */ ([...form.elements].filter((element) => "name" in element && element.name !== ""));

/** @param {Control} control */
const isHidden = (control) => control.type === "hidden" && control.name !== FORM_TOKEN;

/** @param {Control} control  Passwords are never kept. */
const isTyped = (control) => !["hidden", "password", "submit", "button", "fieldset"].includes(control.type);

/** @param {Control} control */
const isChoice = (control) => control.type === "radio" || control.type === "checkbox";

/**
 * @param {HTMLFormElement} form
 * @returns {Fields}
 */
function typedFields(form) {
  const chosen = controls(form).filter((control) => isTyped(control) && (!isChoice(control) || control.checked));
  return Object.fromEntries(chosen.map((control) => [control.name, control.value]));
}

/**
 * @param {HTMLFormElement} form
 * @returns {Fields}  What the server rendered, whatever the browser has put back since.
 */
function renderedFields(form) {
  const rendered = controls(form).filter(
    (control) => isTyped(control) && (!isChoice(control) || control.defaultChecked),
  );
  const text = (/** @type {any} */ control) => (isChoice(control) ? control.value : control.defaultValue);
  return Object.fromEntries(rendered.map((control) => [control.name, text(control)]));
}

/**
 * @param {HTMLFormElement} form
 * @returns {Fields}
 */
function hiddenFields(form) {
  return Object.fromEntries(controls(form).filter(isHidden).map((control) => [control.name, control.value]));
}

/**
 * @param {HTMLFormElement} form
 * @param {Fields} fields
 */
function fill(form, fields) {
  for (const control of controls(form).filter(isTyped)) {
    const value = fields[control.name];
    if (value === undefined) continue;
    if (isChoice(control)) control.checked = control.value === value;
    else control.value = value;
  }
}

/**
 * @param {HTMLFormElement} form
 * @param {Fields} fields
 */
function fillHidden(form, fields) {
  for (const control of controls(form).filter(isHidden)) {
    if (fields[control.name] !== undefined) control.value = fields[control.name];
  }
}

/**
 * @param {HTMLFormElement} form
 * @param {HTMLElement | null} submitter
 */
function bodyOf(form, submitter) {
  const body = new URLSearchParams();
  for (const [name, value] of new FormData(form, submitter)) body.append(name, String(value));
  return body;
}

/**
 * @param {Fields} one
 * @param {Fields} other
 */
function isSame(one, other) {
  const names = new Set([...Object.keys(one), ...Object.keys(other)]);
  return [...names].every((name) => one[name] === other[name]);
}
