// @ts-check
/**
 * Knows which elements are in view or close to it, so that nothing is drawn for hundreds of others.
 *
 * An element counts as in view until the browser says otherwise: soon after it was added, and always in browsers that
 * cannot tell.
 */

/** Also what the next half screen shows, so that it is drawn before it is scrolled to. */
const MARGIN = "50% 0px";

export class InView {
  /** Called when elements come into view. */
  onenter = () => {};
  /** @type {Set<Element>} */
  #outOfView = new Set();
  #observer;

  /** @param {typeof globalThis.IntersectionObserver | undefined} IntersectionObserver */
  constructor(IntersectionObserver) {
    const note = (/** @type {IntersectionObserverEntry[]} */ entries) => this.#note(entries);
    this.#observer = IntersectionObserver && new IntersectionObserver(note, { rootMargin: MARGIN });
  }

  /** @param {Element} element */
  add(element) {
    this.#observer?.observe(element);
  }

  /** @param {Element} element */
  remove(element) {
    this.#observer?.unobserve(element);
    this.#outOfView.delete(element);
  }

  /** @param {Element} element */
  has(element) {
    return !this.#outOfView.has(element);
  }

  /** @param {IntersectionObserverEntry[]} entries */
  #note(entries) {
    let hasEntered = false;
    for (const { target, isIntersecting } of entries) {
      if (!isIntersecting) this.#outOfView.add(target);
      else if (this.#outOfView.delete(target)) hasEntered = true;
    }
    if (hasEntered) this.onenter();
  }
}
