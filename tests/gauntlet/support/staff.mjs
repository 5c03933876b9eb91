/** Becomes the first admin of a new rescue, through its pages, and creates an API token. */

const PASSWORD = "correct horse battery staple 42";

/**
 * @param {string} invitation  The link that the server prints at its first start.
 * @returns {Promise<string>} A token that may write.
 */
export async function createToken(invitation) {
  const { origin, pathname } = new URL(invitation);
  let cookie = "";
  let formToken = "";
  const ask = async (path, fields) => {
    const answer = await fetch(origin + path, {
      method: fields ? "POST" : "GET",
      headers: { cookie, origin },
      body: fields && new URLSearchParams({ ...fields, "form-token": formToken }),
      redirect: "manual",
    });
    const cookies = answer.headers.getSetCookie().map((line) => line.split(";")[0]);
    if (cookies.length > 0) cookie = cookies.join("; ");
    const page = await answer.text();
    formToken = /name="form-token" value="([^"]+)"/.exec(page)?.[1] ?? formToken;
    if (answer.status >= 400) throw new Error(`${path}: ${answer.status}`);
    return page;
  };
  await ask(pathname);
  await ask(pathname, { name: "anna", password: PASSWORD, again: PASSWORD });
  await ask("/account");
  const page = await ask("/account/tokens", { "token-name": "gauntlet", scope: "write" });
  const token = /petstore_[A-Za-z0-9_-]+/.exec(page)?.[0];
  if (!token) throw new Error("the page of the account has no new token");
  return token;
}
