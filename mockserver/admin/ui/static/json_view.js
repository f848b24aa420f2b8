// Shows a body: as a tree if it is JSON, else as text.

import { el } from "./elements.js";
import { jsonTree, pointerParts } from "./json_tree.js";

/** Return the view of a body with its violations. */
export function jsonView(text, label, found = []) {
  let value;
  try {
    value = JSON.parse(text);
  } catch {
    return el("pre", { class: "body", tabindex: "0" }, text);
  }
  const violations = found
    .filter(({ pointer }) => pointer)
    .map(({ pointer, rule }) => ({ path: pointerParts(pointer), text: rule }));
  return jsonTree(value, { label, violations });
}
