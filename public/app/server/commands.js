// @ts-check
/** Changes that a person makes, sent to the server without leaving the page. The browser adds the session cookie. */
import { withTimeout } from "../../petstore/clock.js";
/** @import { Clock } from "../../petstore/clock.js" */

/** Time limit for setting a status. The change may have been saved anyway; the stream then shows it. */
const STATUS_TIMEOUT_MS = 15_000;

const FORM_TIMEOUT_MS = 30_000;

/** @typedef {{ cursor: string } | { problem: string }} StatusResult  The cursor of the change, or an error message. */

/**
 * Parameters of an undo: when the earlier status began, its note, and the cursor of the change to replace, which must still be the
 * newest one of the status.
 * @typedef {{ since?: string, note?: string, replaces: string }} Undo
 */

/** The note of a status, and when it began. @typedef {{ note?: string, minutes_ago?: number }} Edit */

/**
 * - `saved`: the URL that the server redirects to.
 * - `refused`: the server answered with a page, which a plain submit of the form shows.
 * - `problem`: an error message; the form stays on the page.
 * @typedef {{ saved: string } | { refused: true } | { problem: string }} FormResult
 */

export class Commands {
  #fetch;
  #site;
  #clock;

  /** @param {{ fetch: typeof globalThis.fetch, site: string, clock: Clock }} options */
  constructor({ fetch, site, clock }) {
    this.#fetch = fetch;
    this.#site = site;
    this.#clock = clock;
  }

  /**
   * Sets a status over the JSON API.
   * @param {string} pet
   * @param {string} status
   * @param {Undo | Edit} [edit]
   * @returns {Promise<StatusResult>} Never rejects.
   */
  async setStatus(pet, status, edit) {
    const url = `${this.#site}/api/v1/pets/${encodeURIComponent(pet)}/status`;
    try {
      return await withTimeout({ clock: this.#clock, limitMs: STATUS_TIMEOUT_MS }, async (signal) => {
        const response = await this.#fetch(url, {
          method: "PUT",
          headers: { "content-type": "application/json" },
          body: JSON.stringify({ status, ...edit }),
          signal,
        });
        const body = await response.json();
        if (response.ok && typeof body.cursor === "string") return { cursor: body.cursor };
        if (response.status === 401) return { problem: "Please sign in again." };
        return { problem: String(body.detail ?? "The server refused the change.") };
      });
    } catch {
      return { problem: "The server did not respond." };
    }
  }

  /**
   * Submits a form.
   * @param {string} url
   * @param {URLSearchParams} body
   * @returns {Promise<FormResult>} Never rejects.
   */
  async sendForm(url, body) {
    try {
      const request = (/** @type {AbortSignal} */ signal) => this.#fetch(url, { method: "POST", body, signal });
      const response = await withTimeout({ clock: this.#clock, limitMs: FORM_TIMEOUT_MS }, request);
      if (response.redirected) return { saved: response.url };
      if (response.status === 429) return { problem: "Too many changes. Try again in a moment." };
      if (response.status === 507) return { problem: "The server's disk is full. Try again later." };
      if (response.status >= 500) return { problem: "The server can't save right now. Try again in a moment." };
      return { refused: true };
    } catch {
      return { problem: "The connection was lost. Try again when you are back online." };
    }
  }
}
