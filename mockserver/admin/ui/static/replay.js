// Sends a request of the journal again and shows the differences.

import { differences } from "./differences.js";
import { el } from "./elements.js";
import { jsonView } from "./json_view.js";

const WHOLE_BODY = 16_000;
const AS_SENT = ["prefer", "content-type", "accept"];

export function replayButton(entry) {
  const reason = whyNot(entry);
  const button = el("button", { type: "button", class: "small", disabled: reason !== "" }, "Replay");
  button.addEventListener("click", async () => {
    button.disabled = true;
    try {
      show(button, entry, await again(entry));
    } catch (problem) {
      place(button).replaceChildren(el("p", { class: "bad" }, `No response: ${problem.message}`));
    }
    button.disabled = false;
  });
  return reason ? [button, el("span", { class: "muted" }, reason)] : [button];
}

function whyNot(entry) {
  if (!isUnchangedByBrowser(entry.target)) return "a browser would send another request";
  if (entry.target.endsWith("…") || entry.target.includes("***")) return "the path is incomplete";
  if (entry.request.body.length >= WHOLE_BODY) return "the body is incomplete";
  if (["HEAD", "OPTIONS"].includes(entry.method)) return "nothing to show";
  return "";
}

/** Return whether a browser would request exactly this path of the API; it resolves `..`. */
function isUnchangedByBrowser(target) {
  const [path] = target.split("?");
  if (!path.startsWith("/v1/")) return false;
  const { origin, pathname } = new URL(target, location.origin);
  return origin === location.origin && pathname === path;
}

async function again(entry) {
  const reason = whyNot(entry);
  if (reason) throw new Error(reason);
  const headers = {};
  for (const name of AS_SENT) if (entry.request.headers[name]) headers[name] = entry.request.headers[name];
  if (entry.session) headers["x-mock-session"] = entry.session; // it may have been part of the key
  const key = document.getElementById("key").value.trim();
  if (entry.request.headers["x-api-key"] !== undefined) headers["x-api-key"] = key;
  else if (entry.request.headers.authorization !== undefined) headers.authorization = `Bearer ${key}`;
  const response = await fetch(entry.target, {
    method: entry.method,
    headers,
    body: entry.request.body || undefined,
    cache: "no-store",
    redirect: "error",
  });
  return { status: response.status, body: await response.text() };
}

function place(button) {
  const sides = button.closest(".sides");
  const found = sides.querySelector(".replayed");
  if (found) return found;
  const made = el("section", { class: "replayed", "aria-live": "polite" });
  sides.querySelector(".actions").after(made);
  return made;
}

function show(button, entry, response) {
  const title = el("h3", {}, `Sent again: ${response.status}`);
  place(button).replaceChildren(title, changes(entry, response), jsonView(response.body, "the new response"));
}

function changes(entry, response) {
  const before = parsed(entry.response.body);
  const after = parsed(response.body);
  const found = response.status === entry.status ? [] : [{ pointer: "status", before: entry.status, after: response.status }];
  if (entry.response.truncated) found.push({ pointer: "body", before: "truncated", after: "not compared" });
  else found.push(...differences(before, after));
  if (found.length === 0) return el("p", {}, "The response is the same.");
  return el("ul", { class: "changes" }, ...found.map(change));
}

function change({ pointer, before, after }) {
  return el(
    "li",
    {},
    el("code", {}, pointer),
    " ",
    el("del", {}, shown(before)),
    " ",
    el("ins", {}, shown(after)),
  );
}

function shown(value) {
  const text = value === undefined ? "(absent)" : JSON.stringify(value);
  return text.length > 160 ? `${text.slice(0, 160)}…` : text;
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
