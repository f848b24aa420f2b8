// Asks the control API in the chosen session, and writes the same request as a curl line.

const SESSION = new URLSearchParams(location.search).get("session") ?? "";

export function inSession(path) {
  return SESSION ? `${path}?session=${encodeURIComponent(SESSION)}` : path;
}

export class Refusal extends Error {}

/** Ask again and again: the mock writes no line to its log for that. */
export function poll(path) {
  return ask("GET", path, undefined, "poll");
}

export async function ask(method, path, body, sender = "page") {
  const headers = { "X-Mock-Request": sender };
  if (SESSION) headers["X-Mock-Session"] = SESSION;
  if (body !== undefined) headers["Content-Type"] = "application/json";
  const answer = await fetch(path, {
    method,
    headers,
    body: body === undefined ? undefined : JSON.stringify(body),
    cache: "no-store",
  });
  if (answer.status === 401 && sender === "poll") location.reload(); // asks for the control token, and comes back
  const told = await answer.json().catch(() => null);
  if (!answer.ok) throw new Refusal(reason(told, answer.status));
  return told;
}

function reason(told, status) {
  const error = told?.error;
  if (!error?.message) return `The mock answered with ${status}`;
  const details = error.details?.errors?.join("; ");
  return [error.message, details, error.suggestion].filter(Boolean).join(". ");
}

/** Give the key that curl lines hold: the demo key, where it is accepted. */
export function keyShown() {
  return document.body.dataset.key || "YOUR_KEY";
}

// What curl would expand or leave out, left alone.
const AS_WRITTEN = /[[\]{}]|\/(\.|%2e){1,2}(?=[/?]|$)/i;

export function curlOf(method, path, { headers = {}, body } = {}) {
  const parts = ["curl"];
  if (AS_WRITTEN.test(path)) parts.push("-g", "--path-as-is");
  if (method !== "GET") parts.push("-X", method);
  for (const [name, value] of Object.entries(headers)) parts.push("-H", quoted(`${name}: ${value}`));
  if (body !== undefined && body !== "") {
    parts.push("--data-raw", quoted(typeof body === "string" ? body : JSON.stringify(body)));
  }
  parts.push(quoted(location.origin + path));
  return parts.join(" ");
}

export function controlCurl(method, path, body) {
  const headers = SESSION ? { "X-Mock-Session": SESSION } : {};
  if ("needsToken" in document.body.dataset) headers["X-Mock-Token"] = "YOUR_TOKEN";
  return curlOf(method, path, { headers, body });
}

function quoted(text) {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
