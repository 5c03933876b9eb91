// @ts-check
/** Sends a photo to the JSON API. Only `XMLHttpRequest` reports how much of a file was sent. */

/** Attempts while the server has no room for more photos. */
const ATTEMPTS = 5;

/** @typedef {{ done: true } | { problem: string }} PhotoResult */

/**
 * @param {object} options
 * @param {() => XMLHttpRequest} options.request
 * @param {(ms: number) => Promise<unknown>} options.wait
 * @param {string} options.url
 * @param {File} options.file
 * @param {(share: number) => void} options.onprogress  Gets the sent share of the file, from 0 to 1.
 * @returns {Promise<PhotoResult>} Never rejects.
 */
export async function sendPhoto({ request, wait, url, file, onprogress }) {
  for (let attempt = 1; ; attempt += 1) {
    const { status, retryAfter, detail } = await send(request(), url, file, onprogress);
    if (status === 201) return { done: true };
    const isBusy = status === 503 || status === 429;
    if (!isBusy || attempt === ATTEMPTS) return { problem: problem(status, detail) };
    await wait((retryAfter || 2) * 1000);
  }
}

/**
 * @param {XMLHttpRequest} request
 * @param {string} url
 * @param {File} file
 * @param {(share: number) => void} onprogress
 * @returns {Promise<{ status: number, retryAfter: number, detail: string }>}
 */
function send(request, url, file, onprogress) {
  return new Promise((resolve) => {
    request.upload.onprogress = ({ loaded, total }) => onprogress(total > 0 ? loaded / total : 0);
    request.onloadend = () => {
      const { status } = request;
      resolve({ status, retryAfter: Number(request.getResponseHeader("retry-after")), detail: detailOf(request.responseText) });
    };
    request.open("POST", url);
    request.setRequestHeader("content-type", file.type || "application/octet-stream");
    request.send(file);
  });
}

/** @param {string} body */
function detailOf(body) {
  try {
    return String(JSON.parse(body).detail ?? "");
  } catch {
    return "";
  }
}

/** @param {number} status @param {string} detail */
function problem(status, detail) {
  if (status === 0) return "The connection was lost. Try again.";
  if (status === 401) return "Please sign in again.";
  return detail || "The server refused the photo.";
}
