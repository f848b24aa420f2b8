// Save a run as a fixture file; if its id is taken, ask the user first.

import { fileName, saveFile } from "./copying.js";
import { button, el, isolated } from "./elements.js";
import { jsonText, withMember } from "./exact.js";

/** Save a run; `taken` describes what already has its id, "" if nothing has. */
export function saveFixture(execution, taken) {
  if (taken) askBefore(execution, taken);
  else save(execution);
}

function save(execution) {
  saveFile(fileName(execution), `${jsonText(execution)}\n`);
}

function askBefore(execution, taken) {
  const other = `${execution.run_id}_copy`;
  const choose = (one) => () => { dialog.close(); if (one) save(one); };
  const dialog = el(
    "dialog", { class: "card asking", "aria-labelledby": "asking-title" },
    el("h2", { id: "asking-title" }, "This run id is taken"),
    el("p", {}, isolated(taken, "any")),
    el("label", { for: "asking-id" }, "Another run id"),
    el("input", { id: "asking-id", value: other, autocomplete: "off", spellcheck: "false", maxlength: "200" }),
    el(
      "div", { class: "asking-buttons" },
      button("Save under the other id", () => choose(withMember(execution, "run_id", idOf(dialog) || other))(), { class: "primary" }),
      button("Save anyway", choose(execution)),
      button("Cancel", choose(null), { class: "quiet" }),
    ),
  );
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}

function idOf(dialog) {
  return dialog.querySelector("input").value.trim();
}
