// Update a page while it is in use: unchanged parts stay the same elements, with focus, selection and
// position.

import { el } from "./elements.js";

let release = null;
let held = Promise.resolve();

addEventListener("pointerdown", (event) => {
  if (event.button !== 0 || release) return;
  held = new Promise((resolve) => { release = resolve; });
}, true);
for (const name of ["pointerup", "pointercancel", "pointermove"]) {
  addEventListener(name, (event) => {
    if (!release || (name === "pointermove" && event.buttons)) return;
    setTimeout(release); // after the click
    release = null;
  }, true);
}

/** Resolve when no pointer is down: moving an element would lose the click. */
export function handsOff() {
  return held;
}

/** A line that shows since when updates fail; empty while they work. */
export class Silence {
  constructor() {
    this.element = el("p", { role: "status" });
    this.heard();
  }

  heard() {
    this.since = new Date();
    this.show("");
  }

  missed() {
    this.show(`Not updated since ${this.since.toLocaleTimeString()}: the server does not respond. Trying again.`);
  }

  show(text) {
    this.element.className = text && "notice warning silence";
    this.element.textContent = text;
  }
}

/** Set an element's children; those it already has stay in the page. */
export function settle(parent, wanted) {
  const stays = new Set(wanted);
  for (const child of [...parent.childNodes]) if (!stays.has(child)) child.remove();
  let at = parent.firstChild;
  for (const one of wanted) {
    if (one === at) at = at.nextSibling;
    else parent.insertBefore(one, at);
  }
}

/** Set the name of an element among its siblings, and the values it is drawn from. */
export function drawnFrom(element, name, ...values) {
  if (!element) return null;
  element.dataset.key = name;
  element.drawnFrom = JSON.stringify(values);
  element.wasOpen = element.open;
  return element;
}

/** Set named children: an element with unchanged values stays, a new one takes over its state. */
export function settleNamed(parent, wanted) {
  const before = new Map([...parent.children].map((child) => [child.dataset.key, child]));
  const focused = parent.contains(document.activeElement) ? document.activeElement : null;
  const label = focused && labelOf(focused);
  const pairs = wanted.map((one) => [before.get(one.dataset.key), one]);
  settle(parent, pairs.map(([old, one]) => (old && old.drawnFrom === one.drawnFrom ? old : one)));
  for (const [old, one] of pairs) if (old && !old.isConnected) takeState(old, one);
  if (!focused || focused.isConnected) return;
  const again = [...parent.querySelectorAll("a, button, input, summary, h2")].find((one) => labelOf(one) === label);
  (again ?? parent.querySelector("h2"))?.focus();
}

function labelOf(element) {
  return element.getAttribute("aria-label") ?? element.textContent;
}

function takeState(old, one) {
  if (old.open !== old.wasOpen) one.open = old.open; // the user opened or closed it
  const typed = old.querySelector("input[type=search]")?.value;
  const search = one.querySelector("input[type=search]");
  if (!typed || !search) return;
  search.value = typed;
  search.dispatchEvent(new Event("input"));
}

/** Update a node from a new one, child by child, matched by `data-key`. Listeners are not copied. */
export function renew(old, fresh) {
  if (old.nodeType === Node.TEXT_NODE) {
    if (old.data !== fresh.data) old.data = fresh.data;
    return;
  }
  renewAttributes(old, fresh);
  renewChildren(old, [...fresh.childNodes]);
}

function renewAttributes(old, fresh) {
  for (const { name } of [...old.attributes]) if (!fresh.hasAttribute(name)) old.removeAttribute(name);
  for (const { name, value } of fresh.attributes) {
    if (old.getAttribute(name) === value) continue;
    if (name === "style") old.style.cssText = fresh.style.cssText; // the content security policy forbids the attribute
    else old.setAttribute(name, value);
  }
}

/** Update an element's children from new ones. */
export function renewChildren(old, fresh) {
  const known = new Map([...old.childNodes].filter(keyOf).map((one) => [keyOf(one), one]));
  const loose = [...old.childNodes].filter((one) => !keyOf(one));
  settle(old, fresh.map((one) => {
    const key = keyOf(one);
    const at = key ? -1 : loose.findIndex((other) => other.nodeName === one.nodeName);
    const match = key ? known.get(key) : loose[at];
    if (!match || match.nodeName !== one.nodeName) return one;
    if (key) known.delete(key);
    else loose.splice(0, at + 1); // earlier ones were removed
    renew(match, one);
    return match;
  }));
}

function keyOf(node) {
  return node.dataset?.key;
}
