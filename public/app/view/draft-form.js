// @ts-check
/**
 * The form of a pet: restores a draft, stores what is typed, and submits without leaving the page.
 *
 * If the server refuses the input, the form is submitted again in the ordinary way: the server's page shows the errors and
 * keeps the text.
 *
 * The form belongs to the account that it was rendered for. A readable cookie names the account that is signed in. Once that
 * is another one, or none, the form stores no drafts, and the page empties itself when the Back button returns to it.
 */
import { momentText } from "../state/time-text.js";
import { bodyOf, fillHidden, fillVisible, hiddenFields, isEqual, renderedFields, visibleFields } from "./form-fields.js";
import { setText } from "./text.js";
/** @import { Clock } from "../../petstore/clock.js" */
/** @import { FormResult } from "../server/commands.js" */
/** @import { Drafts, Fields } from "../state/drafts.js" */

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
  #isRefused = false;

  /**
   * @param {object} options
   * @param {Document} options.document
   * @param {Pick<Location, "assign" | "replace" | "href">} options.location
   * @param {Drafts} options.drafts
   * @param {Clock} options.clock
   * @param {(url: string, body: URLSearchParams) => Promise<FormResult>} options.send
   * @param {boolean} options.isReturnedTo  The page was opened with the Back or Forward button.
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
      this.#clearPage();
      return;
    }
    this.#name = form.dataset.draft ?? "";
    this.#rendered = renderedFields(form);
    this.#hidden = hiddenFields(form);
    form.addEventListener("input", this.#oninput);
    form.addEventListener("submit", this.#onsubmit);
    this.#document.querySelector("[data-draft-discard]")?.addEventListener("click", this.#ondiscard);
    // The server's response to this form already contains the text.
    if ("entered" in form.dataset) this.#store(form);
    else this.#restore(form);
  }

  /** Returns true if the account that the form was rendered for is signed in. @param {HTMLFormElement} form */
  #isOwn(form) {
    const { accountCookie } = form.dataset;
    return accountCookie === undefined || this.#document.cookie.split("; ").includes(accountCookie);
  }

  /** Removes what another account typed from the page, and reloads it from the server. */
  #clearPage() {
    this.#form = null;
    this.#document.querySelector("main")?.replaceChildren();
    this.#location.replace(this.#location.href);
  }

  #onpageshow = (/** @type {PageTransitionEvent} */ { persisted }) => {
    if (persisted && this.#form && !this.#isOwn(this.#form)) this.#clearPage();
  };

  /** @param {HTMLFormElement} form */
  #restore(form) {
    const draft = this.#drafts.read(this.#name);
    if (!draft) return;
    if (isEqual(draft.fields, visibleFields(form)) && isEqual(draft.fields, this.#rendered)) {
      this.#drafts.remove(this.#name);
      return;
    }
    fillVisible(form, draft.fields);
    fillHidden(form, draft.hidden);
    const time = momentText(draft.savedAt, this.#clock.now());
    this.#showNotice(`Your unsaved text from ${time} was restored.`, { canDiscard: true });
  }

  /** @param {HTMLFormElement} form */
  #store(form) {
    if (!this.#isOwn(form)) return;
    const fields = visibleFields(form);
    if (isEqual(fields, this.#rendered) && !("entered" in form.dataset)) this.#drafts.remove(this.#name);
    else this.#drafts.write(this.#name, { fields, hidden: hiddenFields(form) });
  }

  /** @param {string} text @param {{ canDiscard?: boolean, isError?: boolean }} [options] */
  #showNotice(text, { canDiscard = false, isError = false } = {}) {
    const notice = this.#document.querySelector("[data-draft-notice]");
    const place = notice?.querySelector("[data-draft-text]");
    if (!notice || !place) return;
    notice.classList.toggle("notice-error", isError);
    notice.querySelector("[data-draft-discard]")?.toggleAttribute("hidden", !canDiscard);
    notice.toggleAttribute("hidden", text === "");
    setText(place, text);
    if (isError) notice.scrollIntoView({ block: "nearest" });
  }

  #oninput = () => {
    if (this.#form) this.#store(this.#form);
  };

  #ondiscard = () => {
    const form = this.#form;
    if (!form) return;
    this.#drafts.remove(this.#name);
    fillVisible(form, this.#rendered);
    fillHidden(form, this.#hidden);
    this.#showNotice("Your draft was discarded.");
    /** @type {HTMLElement | null} */ (form.querySelector("input:not([type=hidden])"))?.focus();
  };

  #onsubmit = async (/** @type {SubmitEvent} */ event) => {
    const form = this.#form;
    if (!form || this.#isRefused) return;
    event.preventDefault();
    if (this.#isSending) return;
    const { submitter } = event;
    if (this.#isOwn(form)) this.#drafts.write(this.#name, { fields: visibleFields(form), hidden: hiddenFields(form) });
    this.#setSending(submitter, true);
    const result = await this.#send(form.action, bodyOf(form, submitter));
    this.#setSending(submitter, false);
    if ("saved" in result) {
      this.#drafts.remove(this.#name);
      this.#location.assign(result.saved);
    } else if ("refused" in result) {
      this.#isRefused = true;
      form.requestSubmit(submitter);
    } else {
      this.#showNotice(`Not saved. ${result.problem} Your text is still here.`, { isError: true });
    }
  };

  /** @param {HTMLElement | null} submitter @param {boolean} isSending */
  #setSending(submitter, isSending) {
    this.#isSending = isSending;
    this.#showNotice(isSending ? "Saving…" : "");
    if (isSending) submitter?.setAttribute("aria-busy", "true");
    else submitter?.removeAttribute("aria-busy");
  }
}

/**
 * Removes the drafts of an account when it signs out. Drafts of other accounts stay.
 * @param {Document} document
 * @param {Drafts} drafts
 */
export function discardAtSignOut(document, drafts) {
  /** @type {HTMLFormElement | null} */
  const form = document.querySelector('form[action$="/sign-out"]');
  form?.addEventListener("submit", () => drafts.removeOf(form.dataset.account ?? ""));
}
