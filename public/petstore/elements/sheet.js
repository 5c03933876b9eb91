// @ts-check
/**
 * The style of the elements, as a constructed sheet: a content security policy without `unsafe-inline` allows it.
 *
 * Each status has a colour for its background and one for its text (4.5:1), for the colour scheme that the page uses. A page
 * replaces them by custom properties, and everything else by the parts.
 */

/** Shared by all elements. */
export const sheet = new CSSStyleSheet();

sheet.replaceSync(`:host,li{display:flex;gap:.5em;align-items:baseline}
:host{display:inline-flex}
:host(pet-board){display:block}
ul{padding:0}
li{margin:.5em 0}
a{color:inherit}
span{display:inline-flex;gap:.35em;align-items:center}
[part=status]{padding:.1em .6em;border:1px solid #0000;border-radius:var(--pet-radius,1em);background:var(--pet-offline,light-dark(#e6e7e1,#262b2b));color:var(--pet-offline-ink,light-dark(#3a4038,#cdd2c9))}
:host(:not([connection=offline])) [data-status=eating]{background:var(--pet-eating,light-dark(#f6dc98,#40310b));color:var(--pet-eating-ink,light-dark(#3a2900,#fbeecd))}
:host(:not([connection=offline])) [data-status=bathing]{background:var(--pet-bathing,light-dark(#c3e2ea,#0f3644));color:var(--pet-bathing-ink,light-dark(#08303c,#dcf2f8))}
:host(:not([connection=offline])) [data-status=sleeping]{background:var(--pet-sleeping,light-dark(#dad5ef,#2d2850));color:var(--pet-sleeping-ink,light-dark(#261f4c,#e8e5fb))}
:host(:not([connection=offline])) [data-status=playing]{background:var(--pet-playing,light-dark(#cfe4b2,#263d18));color:var(--pet-playing-ink,light-dark(#1d3009,#e6f3d6))}
svg{width:1em;height:1em;fill:currentColor}
span:empty,[hidden],:host([hidden]){display:none}`);
