// Export a run: as Python, as a pytest fixture, as a file.

import { writtenText } from "./exact.js";

const UNSAFE = /[\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g;

function escaped(text) {
  return JSON.stringify(text).replace(UNSAFE, (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** Return a value as a Python literal. */
export function pythonLiteral(value, indent = "    ", holder = {}, name = "") {
  if (value === null || value === undefined) return "None";
  if (value === true) return "True";
  if (value === false) return "False";
  if (typeof value === "string") return escaped(value);
  if (typeof value === "number") return writtenText(holder, name, value);
  const inner = `${indent}    `;
  const parts = Array.isArray(value)
    ? value.map((one, at) => pythonLiteral(one, inner, value, at))
    : Object.entries(value).map(([key, one]) => `${escaped(key)}: ${pythonLiteral(one, inner, value, key)}`);
  const [open, close] = Array.isArray(value) ? "[]" : "{}";
  if (!parts.length) return open + close;
  return `${open}\n${parts.map((part) => `${inner}${part},\n`).join("")}${indent}${close}`;
}

/** Return the source of a pytest fixture that returns the execution. */
export function pytestFixture(execution) {
  const title = escaped(`Run ${execution.run_id} of workflow ${execution.workflow_id}: ${execution.status}.`);
  return [
    "import pytest", "", "",
    "@pytest.fixture", "def execution():", `    ${title}`, `    return ${pythonLiteral(execution)}`, "",
  ].join("\n");
}

/** Download a text as a file. */
export function saveFile(name, text) {
  const address = URL.createObjectURL(new Blob([text], { type: "application/json" }));
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}

/** Return a file name that is valid on every system. */
export function fileName(execution) {
  const name = String(execution.run_id ?? "execution").replace(/[^A-Za-z0-9._-]+/g, "_").slice(0, 80);
  return `${name.replace(/^\.+/, "") || "execution"}.json`;
}
