// @ts-check
/** The script of the page that readers without a network get: loads the address again as soon as the server answers. */

const RETRY_MS = 5_000;

/** `online` reports the network, not the server, so the page also asks the server. */
addEventListener("online", retry);
document.addEventListener("visibilitychange", retry);
setInterval(retry, RETRY_MS);

/** The service worker leaves HEAD to the network. Any answer will do. */
function retry() {
  if (document.hidden) return;
  fetch(location.href, { method: "HEAD", cache: "no-store" }).then(() => location.reload(), () => {});
}
