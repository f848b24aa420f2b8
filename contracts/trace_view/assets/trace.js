// Draw the trace of an execution into every [data-trace] of the page, from its JSON island:
// {execution, workflow?, now?, violations?: [{pointer, rule, severity, expected, got, fix}],
//  note?: a sentence about the source of the run, taken?: a sentence about what already has its run id,
//  envelope?: the response around it without its data, outside?: violations there, like violations,
//  links?: {data?: path of the island's data, polled while the run goes on, curl?: a command}}

import { copyButton, button, el, isolated, statusBadge } from "./elements.js";
import { pytestFixture } from "./copying.js";
import { absentDetails, columnTable, runDetails, stepDetails } from "./details.js";
import { jsonText, parseJson } from "./exact.js";
import { durationText, momentOf, momentText } from "./format.js";
import { pointerParts } from "./json_tree.js";
import { Silence, drawnFrom, handsOff, settle, settleNamed } from "./renewing.js";
import { saveFixture } from "./saving.js";
import { actionsOf, itemsOf, nameOf, spanOf, stepsOf, wayTo } from "./steps.js";
import { Waterfall } from "./waterfall.js";

const POLL_MS = 1000;
const LONGEST_WAIT_MS = 30_000;

class Trace {
  constructor(root, island) {
    this.root = root;
    this.links = island.links ?? {};
    this.title = el("div", { class: "trace-title" });
    this.head = el("div", { class: "trace-head" }, this.title, this.buttons());
    this.notices = el("div", { class: "trace-notices" });
    this.silence = new Silence();
    this.details = el("aside", { class: "card details", "aria-label": "Details" });
    this.table = el("div");
    this.waterfall = new Waterfall({ onopen: (row, focus) => this.openRow(row, focus), onclose: () => this.close() });
    root.replaceChildren(this.head, this.silence.element, this.notices, el("div", { class: "trace-body" }, this.waterfall.element, this.details), this.table);
    this.details.addEventListener("keydown", (event) => { if (event.key === "Escape") this.close(); });
    this.take(island);
    this.begin();
  }

  /** Show the data of an island. */
  take(island) {
    this.execution = island.execution && typeof island.execution === "object" ? island.execution : {};
    this.workflow = island.workflow ?? null;
    this.violations = island.violations ?? [];
    this.envelope = island.envelope ?? null;
    this.outside = island.outside ?? [];
    this.note = island.note ?? "";
    this.taken = island.taken ?? "";
    this.span = spanOf(this.execution, island.now);
    this.items = itemsOf(this.execution, this.workflow);
    this.violating = new Set(this.violations.map((one) => one.pointer.match(/^\/steps\/(\d+)/)?.[1]).filter(Boolean).map(Number));
    this.drawHead(island.now);
    this.drawNotices();
    this.waterfall.show(this);
    settleNamed(this.table, [columnTable(this, this.table.querySelector("tbody")?.rows.length)].filter(Boolean));
  }

  /** Open the failed step, else the first step with a violation, else the run. */
  begin() {
    const steps = stepsOf(this.execution);
    const failed = steps.findIndex((step) => step.status === "failed");
    const violating = Math.min(...this.violating);
    const first = failed >= 0 ? failed : violating;
    if (first >= 0 && first < steps.length) this.selectStep(first, false);
    else this.showDetails(runDetails(this), null);
    if (this.execution.status === "running" && this.links.data) this.follow();
  }

  hasViolations(row) {
    if (!this.violating.size) return false;
    return row.kind === "step" ? this.violating.has(row.index) : (row.indexes ?? []).some((one) => this.violating.has(one));
  }

  /** Return the index of the last step with an id before another step, else null. */
  indexBefore(id, step) {
    const steps = stepsOf(this.execution);
    const own = steps.indexOf(step);
    const fits = (one, at) => at < own && String(one.step_id) === id
      && (one.iteration === undefined || one.iteration === null || one.iteration === step.iteration);
    const at = steps.findLastIndex(fits);
    return at < 0 ? null : at;
  }

  drawHead(now) {
    const run = this.execution;
    const ran = run.duration_ms ?? (run.status === "running" && momentOf(now) !== null ? momentOf(now) - (momentOf(run.started_at) ?? momentOf(now)) : null);
    const took = durationText(ran);
    settleNamed(this.title, [
      drawnFrom(el("h1", { class: "any" }, isolated(run.run_id ?? "Execution"), " ", statusBadge(run.status)), "name", run.run_id, run.status),
      drawnFrom(el("p", { class: "muted number" }, `Started ${momentText(run.started_at)}`, took ? ` · ${run.status === "running" ? "running for" : "took"} ${took}` : "", run.event_name ? [" · ", isolated(run.event_name)] : ""), "times", run.started_at, run.status, took, run.event_name),
    ]);
  }

  /** Return the buttons; they are created once, so that they do not lose focus during updates. */
  buttons() {
    const json = () => jsonText(this.execution);
    return el(
      "div", { class: "trace-buttons no-print", role: "group", "aria-label": "Export this run" },
      this.links.curl ? copyButton("Copy curl", () => this.links.curl) : null,
      copyButton("Copy JSON", json),
      copyButton("Copy as pytest fixture", () => pytestFixture(this.execution)),
      button("Save as fixture file", () => saveFixture(this.execution, this.taken)),
    );
  }

  drawNotices() {
    const error = this.execution.error;
    const notice = error === null || error === undefined ? null : el(
      "div", { class: "notice failed", role: "alert" }, el("b", {}, this.execution.status === "failed" ? "Failed. " : "Error. "), isolated(typeof error === "string" ? error : JSON.stringify(error), "any"),
    );
    const note = this.note ? el("p", { class: "notice warning" }, isolated(this.note)) : null;
    const violations = this.violations.length + this.outside.length ? this.violationList() : null;
    settleNamed(this.notices, [
      drawnFrom(note, "note", this.note),
      drawnFrom(notice, "error", error, this.execution.status),
      drawnFrom(violations, "violations", this.violations, this.outside),
    ].filter(Boolean));
  }

  violationList() {
    const all = [
      ...this.outside.map((one) => this.violationLine(one, () => this.goOutside(one.pointer), " of the response")),
      ...this.violations.map((one) => this.violationLine(one, () => this.goTo(one.pointer))),
    ];
    const most = 50;
    return el(
      "details", { class: "notice warning violations", open: all.length <= 12 },
      el("summary", {}, el("b", {}, all.length === 1 ? "1 violation of the contract" : `${all.length} violations of the contract`)),
      el("ul", { class: "small" }, all.slice(0, most)),
      all.length > most ? el("p", { class: "small muted" }, `and ${all.length - most} more`) : null,
    );
  }

  violationLine(one, show, suffix = "") {
    const place = el("code", { class: "any" }, one.pointer || "/");
    return el(
      "li", { class: "any" }, el("b", {}, isolated(one.rule)), " at ", button(place, show, { class: "link" }), `${suffix}: expected `,
      isolated(one.expected), ", got ", isolated(one.got), el("span", { class: "muted" }, `. Fix: ${one.fix}.`),
    );
  }

  openRow(row, focus) {
    if (row.kind === "absent") this.showDetails(absentDetails(this, row.action, this.acts()), row.key, focus);
    else this.selectStep(row.index, focus);
  }

  selectStep(index, focus) {
    const step = stepsOf(this.execution)[index];
    if (!step) return;
    const folded = wayTo(this.items, index).filter((key) => !this.waterfall.unfolded.has(key));
    folded.forEach((key) => this.waterfall.unfolded.add(key));
    if (folded.length) this.waterfall.show(this);
    this.showDetails(stepDetails(this, index, this.acts()), `step ${index}`, focus);
  }

  /** Expand a place of the execution and focus it. */
  goTo(pointer) {
    const parts = pointerParts(pointer);
    const isInStep = parts[0] === "steps" && Number(parts[1]) < stepsOf(this.execution).length;
    if (isInStep) this.selectStep(Number(parts[1]), false);
    else this.showDetails(runDetails(this), null);
    this.goToPart("whole", isInStep ? parts.slice(2) : parts);
  }

  /** Expand a place of the response around the execution. */
  goOutside(pointer) {
    this.showDetails(runDetails(this), null);
    this.goToPart("envelope", pointerParts(pointer));
  }

  goToPart(name, path) {
    const part = this.details.querySelector(`[data-key=${name}]`);
    part.openNow();
    part.querySelector(".json").goTo(path);
  }

  acts() {
    return { onclose: () => this.close(), onselect: (index) => this.selectStep(index, true) };
  }

  showDetails(parts, key, focus = false) {
    if (key === this.shownKey) settleNamed(this.details, parts);
    else settle(this.details, parts);
    this.shownKey = key;
    this.waterfall.markOpen(key);
    if (focus) this.details.querySelector("h2").focus();
  }

  close() {
    this.showDetails(runDetails(this), null);
    this.waterfall.canvas.focus();
  }

  /** Poll the run until it has ended. */
  async follow() {
    let wait = POLL_MS;
    while (this.execution.status === "running") {
      await new Promise((resolve) => { setTimeout(resolve, wait); });
      if (document.hidden) continue;
      const began = performance.now();
      try {
        const response = await fetch(this.links.data, { headers: { Accept: "application/json" } });
        if (response.status === 401) location.reload(); // the server requires a login
        if (!response.ok) throw new Error(`status ${response.status}`);
        const island = parseJson(await response.text());
        await handsOff();
        this.silence.heard();
        this.renew(island);
        wait = Math.max(POLL_MS, 5 * (performance.now() - began));
      } catch {
        this.silence.missed();
        wait = Math.min(2 * wait, LONGEST_WAIT_MS);
      }
    }
  }

  renew(island) {
    const hasEnded = island.execution.status !== "running";
    this.take(island);
    const isBusy = this.details.contains(document.activeElement);
    if (hasEnded && island.execution.status === "failed" && this.shownKey === null && !isBusy) this.begin();
    else this.renewDetails();
  }

  /** Update the details, and move nothing else. */
  renewDetails() {
    const [kind, ...rest] = (this.shownKey ?? "run").split(" ");
    const id = rest.join(" ");
    const action = actionsOf(this.workflow).get(id);
    const came = kind === "absent" ? stepsOf(this.execution).findIndex((step) => step.step_id === id) : -1;
    if (came >= 0) this.selectStep(came, this.details.contains(document.activeElement));
    else if (kind === "step" && stepsOf(this.execution)[id]) settleNamed(this.details, stepDetails(this, Number(id), this.acts()));
    else if (kind === "absent" && action) settleNamed(this.details, absentDetails(this, action, this.acts()));
    else settleNamed(this.details, runDetails(this));
  }
}

/** Draw every trace of the page. */
export function drawTraces() {
  for (const root of document.querySelectorAll("[data-trace]")) {
    const island = root.querySelector("[data-trace-document]");
    if (island) draw(root, island.textContent);
  }
}

/** Draw one trace; if that fails, show the error in its place. */
function draw(root, text) {
  try {
    root.trace = new Trace(root, parseJson(text));
  } catch (problem) {
    root.replaceChildren(el("p", { class: "notice failed", role: "alert" }, `This run cannot be drawn: ${problem.message}`));
  }
}

drawTraces();
