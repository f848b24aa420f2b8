// Sends requests to the control API in the chosen session, and writes them as curl lines.

const SESSION = new URLSearchParams(location.search).get("session") ?? "";

export function inSession(path) {
  return SESSION ? `${path}?session=${encodeURIComponent(SESSION)}` : path;
}

export class Refusal extends Error {}

/** Send a GET repeatedly; the mock does not log it. */
export function poll(path) {
  return send("GET", path, undefined, "poll");
}

export async function send(method, path, body, sender = "page") {
  const headers = { "X-Mock-Request": sender };
  if (SESSION) headers["X-Mock-Session"] = SESSION;
  if (body !== undefined) headers["Content-Type"] = "application/json";
  const response = await fetch(path, {
    method,
    headers,
    body: body === undefined ? undefined : JSON.stringify(body),
    cache: "no-store",
  });
  if (response.status === 401 && sender === "poll") location.reload(); // leads to the sign-in page
  const payload = await response.json().catch(() => null);
  if (!response.ok) throw new Refusal(reason(payload, response.status));
  return payload;
}

function reason(payload, status) {
  const error = payload?.error;
  if (!error?.message) return `The mock returned ${status}`;
  const details = error.details?.errors?.join("; ");
  return [error.message, details, error.suggestion].filter(Boolean).join(". ");
}

/** Return the key for curl lines: the demo key, where it is accepted. */
export function keyShown() {
  return document.body.dataset.key || "YOUR_KEY";
}

// Paths that curl would expand or normalize.
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
