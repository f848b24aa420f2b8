// A JSON value as a tree that is built where it is opened: 5 MB cost no more than what is shown.

import { button, copyButton, el, webAddress } from "./elements.js";
import { countText, previewOf, shortened } from "./format.js";

const CHILDREN_AT_ONCE = 100;
const TEXT_LENGTH = 400;
const MOST_HITS = 500;
const OPEN_AT_FIRST = 12;

/** Give a JSON Pointer's parts. */
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
 * Give the tree of a value with its tools. `breaches` are what the contract has against places in
 * it: a list of {path: [names], text}; the way to each is open from the start.
 */
export function jsonTree(value, { label, breaches = [] } = {}) {
  const root = new TreeNode(null, value, 0);
  const canvas = el("div", { class: "tree" }, root.element);
  breaches.forEach((breach) => root.mark(breach.path, breach.text));
  root.open();
  const simple = isContainer(value) && entriesOf(value).length <= OPEN_AT_FIRST;
  if (simple) root.children.forEach((child) => { if (child.size() <= OPEN_AT_FIRST) child.open(); });
  return el("div", { class: "json" }, isContainer(value) ? toolsOf(root, value, label) : null, canvas);
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
    copyButton("Copy", () => JSON.stringify(value, null, 2), { class: "quiet small" }),
  );
}

/** Give the paths of names and simple values that hold a text, whatever its case. */
export function searchJson(value, text) {
  const wanted = text.toLowerCase();
  const hits = [];
  const stack = [[[], value]];
  while (stack.length && hits.length < MOST_HITS) {
    const [path, one] = stack.pop();
    const name = path.length ? String(path.at(-1)) : "";
    const told = isContainer(one) ? "" : String(one);
    if (name.toLowerCase().includes(wanted) || told.toLowerCase().includes(wanted)) hits.push(path);
    if (isContainer(one)) {
      entriesOf(one).reverse().forEach(([key, child]) => stack.push([[...path, key], child]));
    }
  }
  return hits;
}

class TreeNode {
  constructor(name, value, depth) {
    this.value = value;
    this.children = null;
    this.shown = 0;
    this.depth = depth;
    this.line = el("div", { class: "tree-line" });
    this.element = el("div", { class: "tree-node" }, this.line);
    const key = name === null ? null : el("span", { class: "tree-key" }, el("bdi", {}, String(name)), ":");
    if (isContainer(value) && this.size()) this.drawContainer(key);
    else this.line.append(...[key, valueElement(value)].filter(Boolean));
  }

  size() {
    return isContainer(this.value) ? entriesOf(this.value).length : 0;
  }

  drawContainer(key) {
    this.toggle = el(
      "button", { type: "button", class: "tree-toggle", "aria-expanded": "false" },
      el("span", { class: "twist", "aria-hidden": "true" }), key,
      el("span", { class: "tree-preview" }, Array.isArray(this.value)
        ? `[ ${countText(this.size(), "item")} ]` : previewOf(this.value, 60)),
    );
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
    this.children = [];
    this.list = el("div", { class: "tree-list" });
    this.element.append(this.list);
    this.showMore(CHILDREN_AT_ONCE);
  }

  close() {
    if (!this.isOpen()) return;
    this.toggle.setAttribute("aria-expanded", "false");
    this.list.hidden = true;
  }

  foldBelow() {
    this.children?.forEach((child) => { child.close(); child.foldBelow(); });
  }

  showMore(count) {
    this.rest?.remove();
    const entries = entriesOf(this.value);
    for (const [name, value] of entries.slice(this.shown, this.shown + count)) {
      const child = new TreeNode(name, value, this.depth + 1);
      this.children.push(child);
      this.list.append(child.element);
    }
    this.shown = Math.min(entries.length, this.shown + count);
    const left = entries.length - this.shown;
    if (!left) return;
    this.rest = button(
      `Show ${Math.min(left, CHILDREN_AT_ONCE)} more of ${left.toLocaleString("en")}`,
      () => this.showMore(CHILDREN_AT_ONCE), { class: "quiet small" },
    );
    this.list.append(this.rest);
  }

  childNamed(name) {
    if (!isContainer(this.value)) return null;
    const at = entriesOf(this.value).findIndex(([key]) => String(key) === String(name));
    if (at < 0) return null;
    this.open();
    if (at >= this.shown) this.showMore(at + 1 - this.shown);
    return this.children[at];
  }

  /** Open the way to a place as far as it exists; give the last node on it. */
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
    node.line.classList.add("breach");
    node.line.append(el("span", { class: "breach-note" }, text));
  }

  reveal(path) {
    const node = this.walk(path);
    const canvas = this.element.parentElement;
    canvas.querySelector(".tree-line.hit")?.classList.remove("hit");
    node.line.classList.add("hit");
    node.line.scrollIntoView({ block: "nearest" });
  }
}

function valueElement(value) {
  if (typeof value !== "string") {
    const kind = value === null ? "null" : isContainer(value) ? "empty" : typeof value;
    return el("span", { class: `tree-value is-${kind}` }, isContainer(value) ? previewOf(value) : String(value));
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
