// @ts-check
/** The second script of the page with snippets for other websites: copies them, and gives the frame its height. */

const said = document.querySelector("#copied");

for (const button of /** @type {NodeListOf<HTMLButtonElement>} */ (document.querySelectorAll("[data-copies]"))) {
  button.hidden = false;
  button.addEventListener("click", () => copy(button));
}

addEventListener("message", ({ source, data }) => {
  const frame = document.querySelector("iframe");
  if (frame && source === frame.contentWindow && data?.message === "height") frame.height = data.value;
});

/** @param {HTMLButtonElement} button */
async function copy(button) {
  const place = document.querySelector(`#${button.dataset.copies}`);
  if (!place) return;
  try {
    // Missing outside of a secure context, such as an address in the local network.
    await navigator.clipboard.writeText(place.textContent ?? "");
    button.textContent = "Copied";
    if (said) said.textContent = "Copied";
  } catch {
    getSelection()?.selectAllChildren(place);
    button.textContent = "Selected";
    if (said) said.textContent = "Selected. Copy it with the keyboard or the menu.";
  }
}
