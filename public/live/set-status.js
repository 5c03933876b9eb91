// @ts-check
/**
 * Asks the server to set a status, over the JSON API: the same whatever transport the page is live over.
 *
 * The session's cookie goes with it, and the browser says that it comes from this site.
 */

/** After this long nobody knows whether it was saved; the stream will tell. */
const TIMEOUT_MS = 15_000;

/**
 * What became of it: the cursor of the change, or why there is none.
 * @typedef {{ cursor: string } | { problem: string }} Outcome
 */

/**
 * An undo: when the earlier status began, and the cursor of the change that must still be the last one of the status.
 * @typedef {{ since?: string, replaces: string }} Restored
 */

export class StatusSetter {
  #fetch;
  #origin;
  #clock;

  /**
   * @param {object} parts
   * @param {typeof globalThis.fetch} parts.fetch
   * @param {string} parts.origin
   * @param {import("./clock.js").Clock} parts.clock
   */
  constructor({ fetch, origin, clock }) {
    this.#fetch = fetch;
    this.#origin = origin;
    this.#clock = clock;
  }

  /**
   * @param {string} pet
   * @param {string} status
   * @param {Restored} [restored]  For an undo.
   * @returns {Promise<Outcome>} Never rejects.
   */
  async set(pet, status, restored) {
    const abort = new AbortController();
    const cancel = this.#clock.after(TIMEOUT_MS, () => abort.abort());
    try {
      const url = new URL(`/api/v1/pets/${encodeURIComponent(pet)}/status`, this.#origin);
      const answer = await this.#fetch(url.href, {
        method: "PUT",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ status, ...restored }),
        signal: abort.signal,
      });
      const said = await answer.json();
      if (answer.ok && typeof said.cursor === "string") return { cursor: said.cursor };
      return { problem: answer.status === 401 ? "Sign in again." : String(said.detail ?? "The server refused it.") };
    } catch {
      return { problem: "The server did not answer." };
    } finally {
      cancel();
    }
  }
}
