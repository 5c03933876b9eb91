// @ts-check
/** The script of the page that prints a pet: a button, for browsers that hide the command in a menu. */

const button = document.querySelector("#print");
button?.removeAttribute("hidden");
button?.addEventListener("click", () => print());
