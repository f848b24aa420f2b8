// A JSON value as a lazy tree: only opened nodes are built, so 5 MB cost no more than the visible part.

import { button, copyButton, el, webAddress } from "./elements.js";
import { jsonText, writtenText } from "./exact.js";
import { countText, previewOf, shortened } from "./format.js";

const CHILDREN_AT_ONCE = 100;
const TEXT_LENGTH = 400;
const MOST_HITS = 500;
const OPEN_AT_FIRST = 12;

/** Return the parts of a JSON Pointer. */
export function pointerParts(pointer) {
  return pointer.split("/").slice(1).map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"));
}

function isContainer(value) {
  return value !== null && typeof value === "object";
}

function entriesOf(value) {
  return Array.isArray(value) ? value.map((one, index) => [index, one]) : Object.entries(value);
}

/**
 * Return the tree of a value with its tools. `violations` is a list of {path: [names], text}; their
 * places are expanded from the start. The element's `goTo(path)` expands a place and focuses it.
 */
export function jsonTree(value, { label, violations = [] } = {}) {
  const root = new TreeNode(null, value);
  const canvas = el("div", { class: "tree" }, root.element);
  violations.forEach((violation) => root.mark(violation.path, violation.text));
  root.open();
  const isSimple = root.size() > 0 && root.size() <= OPEN_AT_FIRST;
  if (isSimple) root.children.forEach((child) => { if (child.size() <= OPEN_AT_FIRST) child.open(); });
  const tree = el("div", { class: "json" }, isContainer(value) ? toolsOf(root, value, label) : null, canvas);
  tree.goTo = (path) => root.goTo(path);
  return tree;
}

function toolsOf(root, value, label) {
  const count = el("span", { class: "small muted number", role: "status" });
  const search = el("input", { type: "search", placeholder: "Search", "aria-label": `Search ${label}` });
  let hits = [];
  let at = -1;
  const go = (step) => {
    if (!hits.length) return;
    at = (at + step + hits.length) % hits.length;
    root.reveal(hits[at]);
    count.textContent = `${at + 1} of ${hits.length}${hits.length === MOST_HITS ? "+" : ""}`;
  };
  let waiting;
  search.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => {
      hits = search.value ? searchJson(value, search.value) : [];
      at = -1;
      if (hits.length) go(1);
      else count.textContent = search.value ? "nothing found" : "";
    }, 150);
  });
  search.addEventListener("keydown", (event) => {
    if (event.key === "Enter") { event.preventDefault(); go(event.shiftKey ? -1 : 1); }
  });
  return el(
    "div", { class: "json-tools" }, search, count,
    button("Fold", () => root.foldBelow(), { class: "quiet small", "aria-label": `Fold ${label}` }),
    copyButton("Copy", () => jsonText(value), { class: "quiet small" }),
  );
}

/** Return the paths of names and simple values that contain a text, ignoring case. */
export function searchJson(value, text) {
  const wanted = text.toLowerCase();
  const hits = [];
  const stack = [[[], value, {}]];
  while (stack.length && hits.length < MOST_HITS) {
    const [path, one, holder] = stack.pop();
    const name = path.length ? String(path.at(-1)) : "";
    const shown = isContainer(one) ? "" : writtenText(holder, name, one);
    if (name.toLowerCase().includes(wanted) || shown.toLowerCase().includes(wanted)) hits.push(path);
    if (isContainer(one)) {
      entriesOf(one).reverse().forEach(([key, child]) => stack.push([[...path, key], child, one]));
    }
  }
  return hits;
}

function toggleButton(key, preview) {
  return el(
    "button", { type: "button", class: "tree-toggle", "aria-expanded": "false" },
    el("span", { class: "twist", "aria-hidden": "true" }), key, el("span", { class: "tree-preview" }, preview),
  );
}

/** An expandable node: a container, or a range of the members of a long one. */
class Branch {
  constructor() {
    this.line = el("div", { class: "tree-line" });
    this.element = el("div", { class: "tree-node" }, this.line);
    this.children = null;
  }

  /** Make the node expandable; `entries()` returns its members. */
  holds(entries, first, key, preview, holder) {
    this.entries = entries;
    this.holder = holder;
    this.first = first;
    this.toggle = toggleButton(key, preview);
    this.toggle.addEventListener("click", () => (this.isOpen() ? this.close() : this.open()));
    this.line.append(this.toggle);
  }

  isOpen() {
    return this.toggle?.getAttribute("aria-expanded") === "true";
  }

  open() {
    if (!this.toggle || this.isOpen()) return;
    this.toggle.setAttribute("aria-expanded", "true");
    if (this.children) { this.list.hidden = false; return; }
    const entries = this.entries();
    this.step = 1;
    while (entries.length / this.step > CHILDREN_AT_ONCE) this.step *= CHILDREN_AT_ONCE;
    this.children = this.step === 1
      ? entries.map(([name, value]) => new TreeNode(name, value, this.holder))
      : rangesOf(entries, this.step, this.first, this.holder);
    this.list = el("div", { class: "tree-list" }, this.children.map((child) => child.element));
    this.element.append(this.list);
  }

  close() {
    if (!this.isOpen()) return;
    this.toggle.setAttribute("aria-expanded", "false");
    this.list.hidden = true;
  }

  foldBelow() {
    this.children?.forEach((child) => { child.close(); child.foldBelow(); });
  }

  /** Expand the path to one of the members; return its node. */
  childAt(at) {
    this.open();
    const child = this.children[Math.floor(at / this.step)];
    return this.step === 1 ? child : child.childAt(at % this.step);
  }
}

function rangesOf(entries, step, first, holder) {
  const ranges = [];
  for (let at = 0; at < entries.length; at += step) {
    const slice = entries.slice(at, at + step);
    const range = new Branch();
    range.holds(() => slice, first + at, null, `${(first + at).toLocaleString("en")} … ${(first + at + slice.length - 1).toLocaleString("en")}`, holder);
    ranges.push(range);
  }
  return ranges;
}

class TreeNode extends Branch {
  constructor(name, value, holder = {}) {
    super();
    this.value = value;
    const key = name === null ? null : el("span", { class: "tree-key" }, el("bdi", {}, String(name)), ":");
    if (this.size()) {
      const preview = Array.isArray(value) ? `[ ${countText(value.length, "item")} ]` : previewOf(value, 60);
      this.holds(() => entriesOf(value), 0, key, preview, value);
    } else this.line.append(...[key, valueElement(value, writtenText(holder, name, value))].filter(Boolean));
  }

  size() {
    return isContainer(this.value) ? Object.keys(this.value).length : 0;
  }

  childNamed(name) {
    if (!isContainer(this.value)) return null;
    const at = Object.keys(this.value).indexOf(String(name));
    return at < 0 ? null : this.childAt(at);
  }

  /** Expand a path as far as it exists; return its last node. */
  walk(path) {
    let node = this;
    for (const name of path) {
      const next = node.childNamed(name);
      if (!next) return node;
      node = next;
    }
    return node;
  }

  mark(path, text) {
    const node = this.walk(path);
    node.line.classList.add("violation");
    node.line.append(el("span", { class: "violation-note" }, text));
  }

  reveal(path, block = "nearest") {
    const { line } = this.walk(path);
    const canvas = this.element.parentElement;
    canvas.querySelector(".tree-line.hit")?.classList.remove("hit");
    line.classList.add("hit");
    line.scrollIntoView({ block });
    return line;
  }

  goTo(path) {
    const line = this.reveal(path, "center");
    line.tabIndex = -1;
    line.focus({ preventScroll: true });
  }
}

function valueElement(value, shown) {
  if (typeof value !== "string") {
    const kind = value === null ? "null" : isContainer(value) ? "empty" : typeof value;
    return el("span", { class: `tree-value is-${kind}` }, isContainer(value) ? previewOf(value) : shown);
  }
  const address = webAddress(value);
  if (address) {
    return el("a", { class: "tree-value any", href: address, target: "_blank", rel: "noopener noreferrer" }, value);
  }
  const whole = value.length <= TEXT_LENGTH;
  const text = el("bdi", { class: "tree-value is-string" }, whole ? value : shortened(value, TEXT_LENGTH));
  if (whole) return text;
  const more = button(`Show all ${value.length.toLocaleString("en")} characters`, () => {
    text.textContent = value;
    more.remove();
  }, { class: "quiet small" });
  return el("span", {}, text, " ", more);
}
