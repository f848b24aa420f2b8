// Shows a body: as a tree where it is JSON, as text where it is not.

import { el } from "./elements.js";
import { jsonTree, pointerParts } from "./json_tree.js";

/** Give the view of a body; `broken` are violations of the contract in it. */
export function jsonView(text, label, broken = []) {
  let value;
  try {
    value = JSON.parse(text);
  } catch {
    return el("pre", { class: "body", tabindex: "0" }, text);
  }
  const violations = broken
    .filter(({ pointer }) => pointer)
    .map(({ pointer, rule }) => ({ path: pointerParts(pointer), text: rule }));
  return jsonTree(value, { label, violations });
}
