// @ts-check
/**
 * Sends a form to the server without leaving the page, so that a lost connection leaves the text in front of its author.
 */

/** After this long without an answer the connection counts as lost. */
const TIMEOUT_MS = 30_000;

/**
 * - `saved`: the page that the server redirects to.
 * - `refused`: the server answered with a page, which a plain submit of the form shows.
 * - `problem`: a message; the form stays on the page.
 * @typedef {{ saved: string } | { refused: true } | { problem: string }} Outcome
 */

export class FormSender {
  #fetch;
  #clock;

  /**
   * @param {object} parts
   * @param {typeof globalThis.fetch} parts.fetch
   * @param {import("./clock.js").Clock} parts.clock
   */
  constructor({ fetch, clock }) {
    this.#fetch = fetch;
    this.#clock = clock;
  }

  /**
   * @param {string} url
   * @param {URLSearchParams} body
   * @returns {Promise<Outcome>} Never rejects.
   */
  async send(url, body) {
    const abort = new AbortController();
    const cancel = this.#clock.after(TIMEOUT_MS, () => abort.abort());
    try {
      const answer = await this.#fetch(url, { method: "POST", body, signal: abort.signal });
      if (answer.redirected) return { saved: answer.url };
      const { status } = answer;
      if (status === 429) return { problem: "Too many changes at once. Try again in a moment." };
      if (status === 507) return { problem: "The server's disk is full. Try again later." };
      if (status >= 500) return { problem: "The server can't save right now. Try again in a moment." };
      return { refused: true };
    } catch {
      return { problem: "The connection was lost. Try again when you are back online." };
    } finally {
      cancel();
    }
  }
}
