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
[part=status]{padding:.1em .6em;border-radius:var(--pet-radius,1em);background:var(--pet-offline,light-dark(#eee,#333));color:var(--pet-offline-ink,light-dark(#444,#ccc))}
:host(:not([connection=offline])) [data-status=eating]{background:var(--pet-eating,light-dark(#fd9,#430));color:var(--pet-eating-ink,light-dark(#320,#fed))}
:host(:not([connection=offline])) [data-status=bathing]{background:var(--pet-bathing,light-dark(#cde,#034));color:var(--pet-bathing-ink,light-dark(#023,#def))}
:host(:not([connection=offline])) [data-status=sleeping]{background:var(--pet-sleeping,light-dark(#ddf,#325));color:var(--pet-sleeping-ink,light-dark(#214,#eef))}
:host(:not([connection=offline])) [data-status=playing]{background:var(--pet-playing,light-dark(#ceb,#241));color:var(--pet-playing-ink,light-dark(#130,#efd))}
[part=text]{align-self:baseline}
svg{width:1em;height:1em;fill:currentColor}
span:empty,[hidden],:host([hidden]){display:none}`);
