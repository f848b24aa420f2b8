// The steps of a run on its time axis. Only the visible rows are in the page.

import { el, isolated, statusClass } from "./elements.js";
import { countText, durationText, ticksOf } from "./format.js";
import { renewChildren } from "./renewing.js";
import { branchOf, nameOf, rowsOf, statusOfAll, timeOf } from "./steps.js";

const OVERSCAN = 8;
const GAP_SHOWN = 0.03;
const GAP_NAMED = 0.16;
const MOST_TICKS = 5;
let waterfalls = 0;
const NARROW = "(max-width: 46rem)";

export class Waterfall {
  /** `onopen(row)` is called when the user opens the row of a step or of an action without a step. */
  constructor({ onopen, onclose }) {
    this.rowId = `trace-${++waterfalls}-row-`;
    this.onopen = onopen;
    this.onclose = onclose;
    this.unfolded = new Set();
    this.rows = [];
    this.active = 0;
    this.openKey = null;
    this.axis = el("div", { class: "axis", "aria-hidden": "true" });
    this.canvas = el("div", { class: "canvas", role: "tree", "aria-label": "Steps", tabindex: "0" });
    this.scroller = el("div", { class: "scroller" }, this.canvas);
    this.element = el("section", { class: "waterfall card", "aria-label": "Waterfall" }, this.axis, this.scroller);
    this.scroller.addEventListener("scroll", () => requestAnimationFrame(() => this.draw()));
    this.canvas.addEventListener("keydown", (event) => this.key(event));
    this.canvas.addEventListener("click", (event) => this.click(event));
    this.narrow = matchMedia(NARROW);
    this.narrow.addEventListener("change", () => this.resize());
    addEventListener("resize", () => this.draw());
    addEventListener("beforeprint", () => this.draw(true));
    addEventListener("afterprint", () => this.draw());
  }

  /** Show the items of a run; unfolded and opened rows stay so. */
  show(view) {
    this.view = view;
    const activeKey = this.rows[this.active]?.key;
    this.rows = rowsOf(view.items, this.unfolded);
    this.active = Math.max(0, this.rows.findIndex((row) => row.key === activeKey));
    this.measureGaps();
    this.drawAxis();
    this.resize();
  }

  measureGaps() {
    let reached = null;
    for (const row of this.rows) {
      row.time = row.kind === "absent" ? null : timeOf(row.steps ?? [row.step], this.view.span.end);
      row.gapFrom = row.depth === 0 && row.time && reached !== null ? reached : null;
      if (row.depth === 0 && row.time) reached = Math.max(reached ?? row.time.begin, row.time.end);
    }
  }

  share(moment) {
    const { begin, end } = this.view.span;
    return Math.min(1, Math.max(0, (moment - begin) / (end - begin)));
  }

  drawAxis() {
    const length = this.view.span.end - this.view.span.begin;
    const ticks = ticksOf(length, this.narrow.matches ? 3 : MOST_TICKS);
    const lane = el("div", { class: "lane" }, ticks.map((at) => {
      const tick = el("span", { class: "tick number" }, at ? durationText(at) : "0");
      tick.style.left = `${(at / length) * 100}%`;
      if (at / length > 0.92) tick.classList.add("last");
      return tick;
    }));
    this.axis.replaceChildren(el("span", {}, "Step"), lane, el("span", { class: "axis-end" }, "Duration"));
    this.ticks = ticks.map((at) => at / length);
  }

  resize() {
    this.height = this.narrow.matches ? 58 : 38;
    this.canvas.style.height = `${this.rows.length * this.height}px`;
    this.draw();
  }

  draw(everything = false) {
    if (!this.view) return;
    if (!this.rows.length) { this.drawNothing(); return; }
    this.canvas.setAttribute("role", "tree");
    const { scrollTop, clientHeight } = this.scroller;
    const first = everything ? 0 : Math.max(0, Math.floor(scrollTop / this.height) - OVERSCAN);
    const last = everything ? this.rows.length : Math.ceil((scrollTop + (clientHeight || 600)) / this.height) + OVERSCAN;
    this.places = placesOf(this.rows);
    renewChildren(this.canvas, this.rows.slice(first, last).map((row, at) => this.rowElement(row, first + at)));
    const active = this.rows[this.active];
    if (active) this.canvas.setAttribute("aria-activedescendant", this.rowId + this.active);
    else this.canvas.removeAttribute("aria-activedescendant");
  }

  drawNothing() {
    this.canvas.setAttribute("role", "group"); // a tree must have items
    this.canvas.removeAttribute("aria-activedescendant");
    this.canvas.style.height = "auto";
    this.canvas.replaceChildren(el("p", { class: "no-steps muted" }, "This run lists no step."));
  }

  rowElement(row, at) {
    const status = row.kind === "absent" ? "pending" : row.step ? row.step.status : statusOfAll(row.steps);
    const element = el("div", {
      class: `row depth-${row.depth} ${statusClass(status)} row-${row.kind}`, role: "treeitem", id: this.rowId + at, "data-key": row.key,
      "aria-level": row.depth + 1, "aria-posinset": this.places[at].place, "aria-setsize": this.places[at].siblings.length, "aria-expanded": row.isOpen === undefined ? null : String(row.isOpen),
      "aria-selected": String(row.key === this.openKey),
    }, this.labelOf(row, status), this.laneOf(row, status), el("span", { class: "row-end number small" }, this.endOf(row, status)));
    if (at === this.active) element.classList.add("active");
    if (this.view.hasViolations(row)) element.classList.add("violating");
    element.style.top = `${at * this.height}px`;
    element.style.height = `${this.height}px`;
    return element;
  }

  labelOf(row, status) {
    const twist = row.isOpen === undefined ? null : el("span", { class: "twist", "aria-hidden": "true" });
    const [name, label] = this.wordsOf(row, status);
    return el(
      "span", { class: "row-label" }, twist, el("span", { class: "mark", "aria-hidden": "true" }),
      row.prefix === undefined ? null : el("span", { class: "muted number" }, `#${row.prefix}`),
      isolated(name, "row-name"), el("span", { class: "row-label small" }, isolated(label)),
      el("span", { class: "unseen" }, ` ${status}`),
      this.view.hasViolations(row) ? el("span", { class: "mark is-warning", role: "img", "aria-label": "violates the contract" }) : null,
    );
  }

  wordsOf(row, status) {
    if (row.kind === "loop") {
      const failed = row.steps.filter((one) => one.status === "failed").length;
      return [row.name, `${countText(row.iterations.size, "iteration")}, ${countText(row.steps.length, "step")}${failed ? `, ${failed} failed` : ""}`];
    }
    if (row.kind === "iteration") return [`#${row.iteration}`, countText(row.steps.length, "step")];
    if (row.kind === "absent") return [String(row.action.name ?? row.action.id), this.view.execution.status === "running" ? "not begun" : "not reached"];
    return [nameOf(row.step), status === "skipped" ? "skipped" : String(row.step.operation ?? "")];
  }

  laneOf(row, status) {
    const grid = this.ticks.map((at) => placed(el("span", { class: "grid-line" }), at));
    const lane = el("span", { class: "lane" }, grid);
    if (!row.time) return lane;
    const begin = this.share(row.time.begin);
    if (row.gapFrom !== null) {
      const from = this.share(row.gapFrom);
      if (begin - from > GAP_SHOWN) {
        const label = begin - from > GAP_NAMED ? durationText(row.time.begin - row.gapFrom) : "";
        lane.append(placed(el("span", { class: "gap", title: `${durationText(row.time.begin - row.gapFrom)} without a step` }, el("span", {}, label)), from, begin));
      }
    }
    if (status === "skipped" || status === "pending") lane.append(placed(el("span", { class: "dot" }), begin), ...this.branchNote(row, status, begin));
    else lane.append(placed(el("span", { class: "bar-of" }), begin, this.share(row.time.end)));
    if (row.kind !== "step") row.steps.filter((one) => one.status === "failed").slice(0, 20).forEach((one) => {
      const time = timeOf([one], this.view.span.end);
      if (time) lane.append(placed(el("span", { class: "bar-of is-failed" }), this.share(time.begin), this.share(time.end)));
    });
    return lane;
  }

  branchNote(row, status, begin) {
    const branch = status === "skipped" ? branchOf(this.view.workflow, row.step.step_id) : null;
    if (!branch) return [];
    const label = el("span", { class: `lane-label small ${begin > 0.5 ? "before" : ""}` }, "branch ", isolated(`“${branch.name}”`), " not taken");
    return [placed(label, begin)];
  }

  endOf(row, status) {
    if (row.kind === "step" && typeof row.step.duration_ms === "number") return durationText(row.step.duration_ms);
    if (status === "running" && row.time) return `${durationText(row.time.end - row.time.begin)}…`;
    return row.time && row.kind !== "step" ? durationText(row.time.end - row.time.begin) : "–";
  }

  key(event) {
    const page = Math.max(1, Math.floor(this.scroller.clientHeight / this.height) - 1);
    const moves = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -Infinity, End: Infinity };
    const row = this.rows[this.active];
    if (event.key in moves) this.moveTo(this.active + moves[event.key]);
    else if (event.key === "Enter" || event.key === " ") this.open(this.active, true);
    else if (event.key === "ArrowRight" && row?.isOpen === false) this.toggle(row);
    else if (event.key === "ArrowRight" && row?.isOpen) this.moveTo(this.active + 1);
    else if (event.key === "ArrowLeft" && row?.isOpen) this.toggle(row);
    else if (event.key === "ArrowLeft" && row?.depth) this.moveTo(this.rows.findLastIndex((one, at) => at < this.active && one.depth < row.depth));
    else if (event.key === "Escape") this.onclose();
    else return;
    event.preventDefault();
  }

  click(event) {
    const element = event.target.closest(".row");
    if (element) this.open(Number(element.id.slice(this.rowId.length)), false);
  }

  moveTo(at) {
    this.active = Math.min(this.rows.length - 1, Math.max(0, at));
    const top = this.active * this.height;
    const { scrollTop, clientHeight } = this.scroller;
    if (top < scrollTop) this.scroller.scrollTop = top;
    else if (top + this.height > scrollTop + clientHeight) this.scroller.scrollTop = top + this.height - clientHeight;
    this.draw();
  }

  open(at, byKeyboard) {
    const row = this.rows[at];
    if (!row) return;
    this.active = at;
    if (row.isOpen !== undefined) this.toggle(row);
    else this.onopen(row, byKeyboard);
  }

  toggle(row) {
    if (row.isOpen) this.unfolded.delete(row.key);
    else this.unfolded.add(row.key);
    this.show(this.view);
  }

  /** Scroll to the row of a step and mark it as open. */
  markOpen(key) {
    this.openKey = key;
    const at = this.rows.findIndex((row) => row.key === key);
    if (at >= 0) this.moveTo(at);
    else this.draw();
  }
}

function placed(element, from, to = null) {
  element.style.left = `${from * 100}%`;
  if (to !== null) element.style.width = `${Math.max(0, to - from) * 100}%`;
  return element;
}

/** Return the place of each row among its siblings, including those not on screen. */
function placesOf(rows) {
  const open = []; // by depth, the siblings so far
  return rows.map((row) => {
    open.length = row.depth + 1;
    const siblings = (open[row.depth] ??= []);
    siblings.push(row);
    return { place: siblings.length, siblings };
  });
}
