// The details of a step, of an action without a step, and the table of a run.

import { copyButton, el, isolated, statusBadge, button } from "./elements.js";
import { without } from "./exact.js";
import { durationText, momentOf, momentText, previewOf } from "./format.js";
import { jsonTree, pointerParts } from "./json_tree.js";
import { drawnFrom } from "./renewing.js";
import { actionsOf, branchOf, nameOf, sourcesOf, stepsOf } from "./steps.js";

const ROWS_AT_ONCE = 50;

/** Return a list of names and values, without those with the value null. */
export function factsOf(facts) {
  const known = facts.filter(([, value]) => value !== null && value !== undefined && value !== "");
  return el("dl", { class: "facts" }, known.map(([name, value]) => el("div", {}, el("dt", {}, name), el("dd", { class: "any" }, value))));
}

/** Return the violations at or below a pointer, in the form of jsonTree. */
export function violationsBelow(violations, pointer) {
  return violations
    .filter((one) => one.pointer === pointer || one.pointer.startsWith(`${pointer}/`))
    .map((one) => ({ path: pointerParts(one.pointer.slice(pointer.length)), text: `${one.rule}: expected ${one.expected}` }));
}

/** Return a collapsed part of a step; its content is drawn when it is opened. */
export function lazyPart(title, draw, { isOpen = false, preview = "" } = {}) {
  const body = el("div", { class: "part-body" });
  const part = el("details", { class: "part" }, el("summary", {}, el("span", {}, title), preview ? el("span", { class: "muted small" }, preview) : null), body);
  const fill = () => { if (part.open && !body.hasChildNodes()) body.append(...[draw()].flat()); };
  part.addEventListener("toggle", fill);
  part.openNow = () => { part.open = true; fill(); };
  part.open = isOpen;
  fill();
  return part;
}

/** Return the details of one step of the trace. */
export function stepDetails(view, index, { onclose, onselect }) {
  const step = stepsOf(view.execution)[index];
  const pointer = `/steps/${index}`;
  const violations = violationsBelow(view.violations, pointer);
  const begin = momentOf(step.started_at) === null ? null : view.span.begin;
  return [
    drawnFrom(heading(nameOf(step), onclose), "heading", nameOf(step)),
    drawnFrom(el("p", { class: "badges" }, statusBadge(step.status), ...violations.map((one) => violationBadge(one.text))), "badges", step.status, violations),
    drawnFrom(branchNote(view, step), "branch", step.status),
    drawnFrom(errorPart(view, step, pointer), "error", step.error, violations),
    drawnFrom(inputPart(view, step, pointer, onselect), "input", step.input, step.status === "failed", violations),
    drawnFrom(valuePart(view, step, pointer, "output", "Output", step.status === "completed"), "output", step.output, violations),
    drawnFrom(valuePart(view, step, pointer, "mapped_output", "Mapped output", false), "mapped", step.mapped_output, violations),
    drawnFrom(stepFacts(view, step), "facts", step.step_id, step.operation, step.iteration, step.total_items, step.started_at, step.ended_at, step.duration_ms, begin),
    drawnFrom(lazyPart("Whole step as JSON", () => jsonTree(step, { label: "step", violations }), { isOpen: violations.length > 0 }), "whole", step, violations),
  ].filter(Boolean);
}

function heading(text, onclose) {
  return el(
    "div", { class: "details-head" }, el("h2", { tabindex: "-1" }, isolated(text, "any")),
    button("✕", onclose, { class: "quiet", "aria-label": "Close details" }),
  );
}

function violationBadge(text) {
  return el("span", { class: "status is-warning" }, el("span", { class: "mark", "aria-hidden": "true" }), isolated(text.split(":")[0]));
}

function branchNote(view, step) {
  const branch = branchOf(view.workflow, step.step_id);
  if (!branch) return null;
  const taken = step.status === "skipped" ? "was not taken" : "was taken";
  return el("p", { class: "small muted" }, "Branch ", isolated(`“${branch.name}”`), " of ", isolated(`“${branch.condition}”`), ` ${taken}.`);
}

function errorPart(view, step, pointer) {
  if (step.error === null || step.error === undefined) return null;
  const message = typeof step.error === "string" ? step.error : step.error.message;
  return el(
    "section", { class: "notice failed step-error", "aria-label": "Error" },
    el("h3", {}, "Error"),
    typeof message === "string" ? el("p", { class: "any" }, isolated(message)) : null,
    typeof step.error === "object" ? jsonTree(step.error, { label: "error", violations: violationsBelow(view.violations, `${pointer}/error`) }) : null,
  );
}

function inputPart(view, step, pointer, onselect) {
  const sources = sourcesOf(view.workflow, step.step_id);
  const origin = (id) => {
    const index = view.indexBefore(id, step);
    if (index === null) return isolated(id === "trigger" ? "the trigger" : actionsOf(view.workflow).get(id)?.name ?? id);
    return button(nameOf(stepsOf(view.execution)[index]), () => onselect(index), { class: "link" });
  };
  const notes = [...sources].filter(([name]) => step.input && name in Object(step.input)).map(([name, ids]) => el(
    "li", {}, el("code", {}, isolated(name)), " came from ", ids.flatMap((id, at) => [at ? ", " : "", origin(id)]),
  ));
  const led = step.status === "failed" ? "Input that led to it" : "Input";
  return lazyPart(led, () => [
    jsonTree(step.input, { label: "input", violations: violationsBelow(view.violations, `${pointer}/input`) }),
    ...(notes.length ? [el("ul", { class: "origins small" }, notes)] : []),
  ], { isOpen: true });
}

function valuePart(view, step, pointer, member, title, isOpen) {
  const value = step[member];
  if (value === null || value === undefined) return null;
  const violations = violationsBelow(view.violations, `${pointer}/${member}`);
  return lazyPart(title, () => jsonTree(value, { label: title.toLowerCase(), violations }), { isOpen: isOpen || violations.length > 0, preview: previewOf(value, 40) });
}

function stepFacts(view, step) {
  const offset = momentOf(step.started_at) === null ? null : momentOf(step.started_at) - view.span.begin;
  return factsOf([
    ["Step id", isolated(step.step_id ?? "–")],
    ["Operation", isolated(step.operation ?? "–")],
    ["Iteration", step.iteration === undefined || step.iteration === null ? null : isolated(`${step.iteration}${step.total_items ? ` of ${step.total_items}` : ""}`)],
    ["Started", `${momentText(step.started_at)}${offset === null ? "" : ` (${durationText(offset)} into the run)`}`],
    ["Ended", momentText(step.ended_at)],
    ["Duration", durationText(step.duration_ms) || null],
  ]);
}

/** Return the details of an action without a step in the run. */
export function absentDetails(view, action, { onclose }) {
  const branch = branchOf(view.workflow, action.id);
  const why = view.execution.status === "running" ? "This step has not begun." : "The run ended without this step.";
  return [
    drawnFrom(heading(action.name ?? action.id, onclose), "heading", action),
    drawnFrom(el("p", {}, why, branch ? [" It is on branch ", isolated(`“${branch.name}”`), " of ", isolated(`“${branch.condition}”`), "."] : null), "why", why),
    drawnFrom(factsOf([["Step id", isolated(action.id)], ["Operation", isolated(action.kind ?? "–")]]), "facts", action),
    drawnFrom(lazyPart("Definition", () => jsonTree(action, { label: "definition" }), { isOpen: true }), "definition", action),
  ];
}

/** Return the details of the run. */
export function runDetails(view) {
  const run = view.execution;
  const rest = without(run, "steps");
  const violations = violationsBelow(view.violations.filter((one) => !one.pointer.startsWith("/steps/")), "");
  return [
    drawnFrom(el("div", { class: "details-head" }, el("h2", { tabindex: "-1" }, "This run")), "heading"),
    drawnFrom(el("p", { class: "muted small" }, "Choose a step to see its input and output."), "hint"),
    drawnFrom(factsOf([
      ["Run id", isolated(run.run_id ?? "–")], ["Execution id", isolated(run.id ?? "–")],
      ["Workflow id", isolated(run.workflow_id ?? "–")], ["Trigger event", isolated(run.event_name ?? "–")],
      ["Started", momentText(run.started_at)], ["Ended", momentText(run.ended_at)], ["Logged", momentText(run.created)],
    ]), "facts", rest),
    drawnFrom(lazyPart("Run without its steps as JSON", () => jsonTree(rest, { label: "run", violations }), { isOpen: violations.length > 0 }), "whole", rest, violations),
    envelopePart(view),
  ].filter(Boolean);
}

function envelopePart({ envelope, outside }) {
  if (!envelope) return null;
  const violations = violationsBelow(outside, "");
  const tree = () => jsonTree(envelope, { label: "response", violations });
  return drawnFrom(lazyPart("Response around this run as JSON", tree, { isOpen: violations.length > 0 }), "envelope", envelope, violations);
}

/** Return the table of the steps' mapped outputs, or null without a `column_config`. */
export function columnTable(view, shownBefore = 0) {
  const columns = Array.isArray(view.execution.column_config) ? view.execution.column_config : [];
  if (!columns.length) return null;
  const rows = tableRows(view.execution, columns);
  const body = el("tbody");
  const more = button("", () => show(), { class: "quiet small" });
  let shown = 0;
  const show = () => {
    const next = rows.slice(shown, Math.max(shown + ROWS_AT_ONCE, shownBefore));
    body.append(...next.map((row) => el("tr", {}, columns.map((column, at) => el("td", {}, cell(row[at]))))));
    shown += next.length;
    more.textContent = `Show more of ${rows.length - shown} rows`;
    more.hidden = shown === rows.length;
  };
  show();
  const head = el("tr", {}, columns.map((column) => el("th", { scope: "col", title: `${column?.stepId} · ${column?.fieldPath}` }, isolated(column?.label ?? column?.id ?? "–"))));
  return drawnFrom(el(
    "section", { class: "card columns", "aria-label": "Table of mapped outputs" }, el("h2", {}, "Table"),
    el("p", { class: "muted small" }, "The steps' outputs, mapped by ", el("code", {}, "column_config"), "."),
    el("div", { class: "wide", tabindex: "0", role: "group", "aria-label": "Table" }, el("table", { class: "table" }, el("thead", {}, head), body)), more,
  ), "table", columns, rows);
}

function cell(value) {
  if (value === undefined) return el("span", { class: "muted" }, "–");
  return typeof value === "string" ? isolated(value, "any") : el("code", { class: "any" }, previewOf(value));
}

function tableRows(execution, columns) {
  const rows = new Map();
  for (const step of stepsOf(execution)) {
    if (!step.mapped_output || typeof step.mapped_output !== "object") continue;
    const key = step.iteration ?? "";
    const row = rows.get(key) ?? [];
    columns.forEach((column, at) => {
      if (!column || column.stepId !== step.step_id) return;
      const mapped = new Map(Object.entries(step.mapped_output));
      row[at] = mapped.get(column.id) ?? mapped.get(column.label);
    });
    rows.set(key, row);
  }
  return [...rows.values()];
}
