/**
 * Becomes the first admin of an empty rescue and makes a token of each scope, as a person would: through the pages.
 * Prints a scope and its token on each line. Adds pets, so that reads find some.
 */
const link = new URL(process.argv[2]);
let cookie = "";
let formToken = "";
let token = "";

/** @param {string} path @param {Record<string, string>} [fields] */
async function ask(path, fields) {
  const answer = await fetch(new URL(path, link), {
    method: fields ? "POST" : "GET",
    headers: { cookie, origin: link.origin },
    body: fields && new URLSearchParams({ ...fields, "form-token": formToken }),
    redirect: "manual",
  });
  const cookies = answer.headers.getSetCookie().map((line) => line.split(";")[0]);
  if (cookies.length > 0) cookie = cookies.join("; ");
  const page = await answer.text();
  formToken = /name="form-token" value="([^"]+)"/.exec(page)?.[1] ?? formToken;
  if (answer.status >= 400) throw new Error(`${path}: ${answer.status}`);
  return page;
}

const password = "correct horse battery staple 42";
await ask(link.pathname);
await ask(link.pathname, { name: "anna", password, again: password });
await ask("/account");
for (const scope of ["read", "set-status", "write"]) {
  const page = await ask("/account/tokens", { "token-name": scope, scope });
  token = /petstore_[A-Za-z0-9_-]+/.exec(page)?.[0] ?? "";
  if (!token) throw new Error(`no token to ${scope} on the page`);
  console.log(`${scope} ${token}`);
}
for (let pet = 1; pet <= 5; pet += 1) {
  const answer = await fetch(new URL("/api/v1/pets", link), {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    body: JSON.stringify({ name: `Pet ${pet}`, species: "dog" }),
  });
  if (answer.status !== 201) throw new Error(`a pet: ${answer.status}`);
}
