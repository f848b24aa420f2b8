// One request of the journal: its line, request and response with their violations.

import { curlOf, inSession, keyShown } from "./control_api.js";
import { copyButton, el } from "./elements.js";
import { jsonView } from "./json_view.js";
import { replayButton } from "./replay.js";

const TAGS = 3;
const LONG = 90;

export function summary(entry) {
  return el(
    "summary",
    {},
    el("span", { class: "number" }, `${entry.number}`),
    el("span", { class: "method" }, entry.method),
    el("span", { class: "target" }, entry.target),
    el("span", { class: `status ${kindOf(entry.status)}` }, `${entry.status}`),
    el("span", { class: "ms" }, `${entry.ms < 10 ? entry.ms.toFixed(1) : Math.round(entry.ms)} ms`),
    el("span", { class: "tags" }, ...tags(entry)),
    el("time", { datetime: entry.time, title: entry.time }, entry.time.slice(11, 23)),
  );
}

function kindOf(status) {
  if (status >= 500) return "is-failed";
  if (status >= 400) return "is-warning";
  return status < 300 ? "is-completed" : "is-pending";
}

function tags(entry) {
  const rules = [...new Set((entry.response_violations ?? []).map(({ rule }) => rule))];
  const isWanted = entry.contract_faults.length > 0 || entry.faults.length > 0;
  return [
    ...entry.request_violations.slice(0, TAGS).map((message) => tag("bad", `client: ${message}`)),
    ...rules.slice(0, TAGS).map((rule) => tag(isWanted ? "wanted" : "bad", `violates ${rule}`)),
    rules.length > TAGS && tag("plain", `and ${rules.length - TAGS} more`),
    entry.faults.length > 0 && tag("wanted", `fault ${entry.faults.map(faultName).join(", ")}`),
    ...entry.contract_faults.slice(0, TAGS).map((name) => tag("wanted", `fault ${name}`)),
    entry.preferences.length > 0 && tag("plain", `Prefer: ${entry.preferences.join(", ")}`),
  ].filter(Boolean);
}

function tag(kind, text) {
  return el("span", { class: `tag ${kind}` }, text.length > LONG ? `${text.slice(0, LONG)}…` : text);
}

function faultName(fault) {
  return typeof fault === "string" ? fault : (fault.kind ?? fault.id ?? "fault");
}

export function details(entry) {
  return el(
    "div",
    { class: "sides" },
    el("div", { class: "actions" }, ...actions(entry)),
    verdict(entry),
    side("Request", entry.request),
    side(`Response, ${entry.status}`, entry.response, entry.response_violations ?? []),
  );
}

function actions(entry) {
  const { body } = entry.request;
  return [
    ...replayButton(entry),
    copyButton("Copy curl", () => curlOf(entry.method, entry.target, { headers: shownHeaders(entry), body }), { class: "small" }),
    copyButton("Copy entry", () => JSON.stringify(entry, null, 2), { class: "small" }),
  ];
}

function shownHeaders(entry) {
  const sent = entry.request.headers;
  const headers = {};
  for (const name of ["prefer", "content-type"]) if (sent[name]) headers[name] = sent[name];
  if (entry.session) headers["x-mock-session"] = entry.session;
  if (sent["x-api-key"] !== undefined) headers["x-api-key"] = keyShown();
  else if (sent.authorization !== undefined) headers.authorization = `Bearer ${keyShown()}`;
  return headers;
}

function verdict(entry) {
  const source = entry.matched.name ? `${entry.matched.kind}: ${entry.matched.name}` : entry.matched.kind;
  return el(
    "dl",
    { class: "facts" },
    ...fact("operation", entry.operation ?? "none"),
    ...fact("served from", source === "none" ? "" : source),
    ...fact("preferences", entry.preferences.join(", ")),
    ...fact("faults", entry.faults.map(faultText).join(", ")),
    ...fact("contract faults", entry.contract_faults.join(", ")),
    ...fact("client violations", violations(entry.request_violations.map((message) => ({ message }))), "bad"),
    ...fact("response violations", responseViolations(entry)),
  );
}

function responseViolations(entry) {
  if (entry.response_violations === null) return "not validated: not covered by the contract, or too long";
  return violations(entry.response_violations);
}

function fact(name, value, kind = "") {
  if (value === "" || value === null || value.length === 0) return [];
  return [el("dt", {}, name), el("dd", { class: kind }, value)];
}

function violations(found) {
  if (found.length === 0) return "";
  return el("ul", {}, ...found.map((one) => el("li", {}, ...rule(one), one.message)));
}

function rule(violation) {
  if (!violation.rule) return [];
  const href = `${inSession("/__mock/ui/rules")}#${encodeURIComponent(violation.rule)}`;
  return [el("a", { href }, violation.rule), ` at ${violation.pointer || "/"}: `];
}

function faultText(fault) {
  return typeof fault === "string" ? fault : JSON.stringify(fault);
}

function side(title, message, violations = []) {
  const headers = Object.entries(message.headers);
  return el(
    "section",
    { class: "side" },
    el("h3", {}, title),
    el(
      "details",
      {},
      el("summary", {}, `${headers.length} headers`),
      el("dl", { class: "facts" }, ...headers.flatMap(([name, value]) => fact(name, String(value) || "(empty)"))),
    ),
    message.body ? jsonView(message.body, title, violations) : el("p", { class: "muted" }, "No body"),
    message.truncated ? el("p", { class: "muted" }, "The body is truncated.") : null,
  );
}
