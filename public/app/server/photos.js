// @ts-check
/** Sends a photo to the JSON API. Only `XMLHttpRequest` reports how much of a file was sent. */

/** Attempts while the server has no room for more photos. */
const ATTEMPTS = 5;

/** As `MAX_FILE_BYTES` of the server, which would refuse a larger file after it has arrived. */
const MAX_FILE_BYTES = 20 * 1024 * 1024;

/** As long as the server waits for a photo. */
const TIME_LIMIT_MS = 5 * 60_000;

/** Refusals for another reason than the file: no answer, nobody is signed in, the server took too long or failed. */
const TEMPORARY = new Set([0, 401, 408, 500]);

/** @typedef {{ done: true } | { problem: string, canRetry: boolean }} PhotoResult */

/**
 * @param {object} options
 * @param {() => XMLHttpRequest} options.request
 * @param {(ms: number) => Promise<unknown>} options.wait
 * @param {string} options.url
 * @param {File} options.file
 * @param {string} options.key  Of the file: the server adds it once, also if it is sent again because an answer was lost.
 * @param {(share: number) => void} options.onprogress  Gets the sent share of the file, from 0 to 1.
 * @returns {Promise<PhotoResult>} Never rejects.
 */
export async function sendPhoto({ request, wait, url, file, key, onprogress }) {
  if (file.size > MAX_FILE_BYTES) return { problem: problem(413, ""), canRetry: false };
  for (let attempt = 1; ; attempt += 1) {
    const { status, retryAfter, detail } = await send(request(), url, file, key, onprogress);
    if (status === 201) return { done: true };
    const isBusy = status === 503 || status === 429;
    if (!isBusy || attempt === ATTEMPTS) return { problem: problem(status, detail), canRetry: isBusy || TEMPORARY.has(status) };
    await wait((retryAfter || 2) * 1000);
  }
}

/**
 * @param {XMLHttpRequest} request
 * @param {string} url
 * @param {File} file
 * @param {string} key
 * @param {(share: number) => void} onprogress
 * @returns {Promise<{ status: number, retryAfter: number, detail: string }>}
 */
function send(request, url, file, key, onprogress) {
  return new Promise((resolve) => {
    request.upload.onprogress = ({ loaded, total }) => onprogress(total > 0 ? loaded / total : 0);
    request.onloadend = () => {
      const { status } = request;
      resolve({ status, retryAfter: Number(request.getResponseHeader("retry-after")), detail: detailOf(request.responseText) });
    };
    request.open("POST", url);
    request.timeout = TIME_LIMIT_MS;
    request.setRequestHeader("content-type", file.type || "application/octet-stream");
    request.setRequestHeader("idempotency-key", key);
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
  if (status === 0) return "The connection was lost.";
  if (status === 401) return "Please sign in again.";
  if (status === 413) return "This file is larger than 20 MB. Make the photo smaller and send it again.";
  return detail || "The server refused the photo.";
}
