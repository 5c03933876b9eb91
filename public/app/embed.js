// @ts-check
/**
 * The second script of a page in a frame on another site. It tells the page around the frame how high the content is, and which
 * link was followed, because a sandboxed frame may not open one.
 *
 * The messages are those of embedded posts of WordPress: `{ message, value, secret }`, with the secret that WordPress adds to the
 * address of the frame. They contain nothing that the page around the frame may not know, so any page gets them.
 */

const secret = new URLSearchParams(location.hash.replace(/^#\??/, "")).get("secret");

if (parent !== window) start();

function start() {
  let sent = 0;
  const send = (/** @type {string} */ message, /** @type {unknown} */ value) => parent.postMessage({ message, value, secret }, "*");
  const sendHeight = () => send("height", sent);

  new ResizeObserver(([{ borderBoxSize: [box] }]) => {
    const height = Math.ceil(box.blockSize);
    if (height === sent) return;
    sent = height;
    sendHeight();
  }).observe(document.body);

  // A frame that is hidden until it tells its height, as in WordPress, is not drawn, so the observer is not called.
  const measure = () => {
    sent ||= Math.ceil(document.body.getBoundingClientRect().height);
    sendHeight();
  };
  if (document.readyState === "complete") measure();
  else addEventListener("load", measure);

  // The page around the frame may have started to listen after the first message.
  addEventListener("message", ({ source, data }) => {
    if (source === parent && data?.message === "ready") measure();
  });

  addEventListener("click", (event) => {
    const { target, defaultPrevented, ctrlKey, metaKey, shiftKey } = event;
    const link = target instanceof Element ? target.closest("a") : null;
    if (!secret || !link || defaultPrevented || ctrlKey || metaKey || shiftKey) return;
    event.preventDefault();
    send("link", link.href);
  });
}
