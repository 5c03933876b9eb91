// @ts-check
/**
 * The style of the elements, as a constructed sheet: a content security policy without `unsafe-inline` allows it.
 *
 * Each status has a colour for its background and one for its text (4.5:1), for the colour scheme that the page uses. A page
 * replaces them by custom properties, and everything else by the parts.
 */

const CSS = `:host{display:inline-flex;gap:.5em;align-items:baseline}
:host([hidden]){display:none}
:host(pet-board){display:block}
ul{list-style:none;margin:.5em 0;padding:0;display:grid;gap:.5em}
li{display:flex;gap:.5em;align-items:baseline}
a{color:inherit}
[part=status]{display:inline-flex;gap:.35em;align-items:center;padding:.1em .6em;border:1px solid transparent;border-radius:var(--pet-radius,1em);background:var(--b);color:var(--i)}
[part=status],:host([connection=offline]) [part=status]{--b:var(--pet-offline,light-dark(#e6e7e1,#262b2b));--i:var(--pet-offline-ink,light-dark(#3a4038,#cdd2c9))}
[data-status=eating]{--b:var(--pet-eating,light-dark(#f6dc98,#40310b));--i:var(--pet-eating-ink,light-dark(#3a2900,#fbeecd))}
[data-status=bathing]{--b:var(--pet-bathing,light-dark(#c3e2ea,#0f3644));--i:var(--pet-bathing-ink,light-dark(#08303c,#dcf2f8))}
[data-status=sleeping]{--b:var(--pet-sleeping,light-dark(#dad5ef,#2d2850));--i:var(--pet-sleeping-ink,light-dark(#261f4c,#e8e5fb))}
[data-status=playing]{--b:var(--pet-playing,light-dark(#cfe4b2,#263d18));--i:var(--pet-playing-ink,light-dark(#1d3009,#e6f3d6))}
svg{width:1em;height:1em;fill:currentColor}
[part=as-of]{font-size:.85em}
[hidden]{display:none}`;

/** @type {CSSStyleSheet | undefined} Shared by all elements. */
let shared;

export function sheet() {
  if (!shared) {
    shared = new CSSStyleSheet();
    shared.replaceSync(CSS);
  }
  return shared;
}
