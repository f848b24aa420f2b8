// Brings what a page shows up to date under the hands of whoever reads it: what stays the same stays
// the same element, with its focus, its selection and its place under the pointer.

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
    setTimeout(release); // the click comes first
    release = null;
  }, true);
}

/** Wait until no pointer is down: what moves between down and up is not clicked. */
export function handsOff() {
  return held;
}

/** Give a line that says since when nothing was heard; empty while all is well. */
export class Silence {
  constructor() {
    this.element = el("p", { role: "status" });
    this.heard();
  }

  heard() {
    this.since = new Date();
    this.say("");
  }

  missed() {
    this.say(`Not updated since ${this.since.toLocaleTimeString()}: the server does not answer. Trying again.`);
  }

  say(text) {
    this.element.className = text && "notice warning silence";
    this.element.textContent = text;
  }
}

/** Make an element's children these, some of which it has already; those do not leave the page. */
export function settle(parent, wanted) {
  const stays = new Set(wanted);
  for (const child of [...parent.childNodes]) if (!stays.has(child)) child.remove();
  let at = parent.firstChild;
  for (const one of wanted) {
    if (one === at) at = at.nextSibling;
    else parent.insertBefore(one, at);
  }
}

/** Give an element a name among its siblings, and the values it is drawn from. */
export function drawnFrom(element, name, ...values) {
  if (!element) return null;
  element.dataset.key = name;
  element.drawnFrom = JSON.stringify(values);
  element.wasOpen = element.open;
  return element;
}

/** Settle named elements: one drawn from the same values as before stays, another takes its state. */
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
  if (old.open !== old.wasOpen) one.open = old.open; // somebody chose so
  const typed = old.querySelector("input[type=search]")?.value;
  const search = one.querySelector("input[type=search]");
  if (!typed || !search) return;
  search.value = typed;
  search.dispatchEvent(new Event("input"));
}

/** Make a node like a fresh one, child by child; `data-key` says which is which. No listeners. */
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
    if (name === "style") old.style.cssText = fresh.style.cssText; // a policy forbids the attribute
    else old.setAttribute(name, value);
  }
}

/** Make an element's children like fresh ones. */
export function renewChildren(old, fresh) {
  const known = new Map([...old.childNodes].filter(keyOf).map((one) => [keyOf(one), one]));
  const loose = [...old.childNodes].filter((one) => !keyOf(one));
  settle(old, fresh.map((one) => {
    const key = keyOf(one);
    const at = key ? -1 : loose.findIndex((other) => other.nodeName === one.nodeName);
    const match = key ? known.get(key) : loose[at];
    if (!match || match.nodeName !== one.nodeName) return one;
    if (key) known.delete(key);
    else loose.splice(0, at + 1); // those before it are no longer there
    renew(match, one);
    return match;
  }));
}

function keyOf(node) {
  return node.dataset?.key;
}
