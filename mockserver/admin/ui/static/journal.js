// The journal page: follows the requests of a session and shows both sides of each.

import { ask, poll } from "./asking.js";
import { el } from "./elements.js";
import { say } from "./telling.js";
import { details, summary } from "./journal_entry.js";

const EVERY_MS = 1000;
const KEPT = 1000;
const AT_ONCE = 100;
const OVERLAP = 10; // a request that took longer may come a moment later

const list = document.getElementById("entries");
const form = document.getElementById("filters");
const pause = document.getElementById("pause");
const count = document.getElementById("count");
const empty = document.getElementById("empty");

let entries = [];
let newest = 0;
let known = new Set();
let isRead = false;
let isPaused = false;
let isLost = false;
let generation = 0;

form.addEventListener("submit", (event) => event.preventDefault());
form.addEventListener("input", filterAll);
pause.addEventListener("click", () => {
  isPaused = !isPaused;
  pause.textContent = isPaused ? "Go on" : "Pause";
  pause.setAttribute("aria-pressed", String(isPaused));
  tellCount();
  if (!isPaused) follow();
});
document.getElementById("clear").addEventListener("click", async () => {
  try {
    await ask("DELETE", "/__mock/journal");
    forget();
    say("The journal is empty");
  } catch (problem) {
    say(problem.message, { isProblem: true });
  }
});

function forget() {
  generation += 1; // what was asked for before this is not shown any more
  entries = [];
  list.replaceChildren();
  tellCount();
}

function restart() {
  newest = 0;
  known = new Set();
  forget();
  follow();
}

async function follow() {
  const asked = generation;
  const after = Math.max(0, newest - OVERLAP);
  try {
    const told = await poll(`/__mock/journal?after=${after}&limit=${AT_ONCE}`);
    if (asked !== generation) return;
    if (isLost) {
      // Another process may answer now, which counts from the beginning.
      isLost = false;
      say("The mock answers again");
      restart();
      return;
    }
    isRead = true;
    add(told.entries);
    tellCount();
    await addOlder(told, after, asked);
  } catch (problem) {
    isLost = true;
    say(`${problem.message}. Trying again`, { isProblem: true });
  }
}

/** Whatever there is at first, or after a burst, comes piece by piece: the mock has others to answer. */
async function addOlder(told, after, asked) {
  while (told.total > told.entries.length) {
    const before = told.entries.at(-1).number;
    if (entries.length === KEPT && before <= entries.at(-1).entry.number) return;
    told = await poll(`/__mock/journal?after=${after}&before=${before}&limit=${AT_ONCE}`);
    if (asked !== generation) return;
    add(told.entries);
  }
}

function add(told) {
  const arrived = told.filter(({ number }) => !known.has(number));
  if (!arrived.length) return;
  for (const { number } of arrived) known.add(number);
  newest = Math.max(newest, arrived[0].number);
  for (const one of arrived.toReversed().map(row)) place(one);
  for (const gone of entries.splice(KEPT)) gone.node.remove();
  filterAll();
}

/** Put a row where its number belongs; it may have come after newer ones. */
function place(row) {
  const older = entries.findIndex(({ entry }) => entry.number < row.entry.number);
  const at = older < 0 ? entries.length : older;
  list.insertBefore(row.node, entries[at]?.node ?? null);
  entries.splice(at, 0, row);
}

function row(entry) {
  const node = el("details", { class: "entry" }, summary(entry));
  node.dataset.number = entry.number;
  node.addEventListener("toggle", () => {
    if (node.open && node.childElementCount === 1) node.append(details(entry));
  });
  return { entry, node: el("li", {}, node) };
}

function filterAll() {
  const status = form.elements.status.value;
  const path = form.elements.path.value.trim().toLowerCase();
  for (const { entry, node } of entries) {
    node.hidden = !hasStatus(entry, status) || !entry.target.toLowerCase().includes(path);
  }
  tellCount();
}

function hasStatus(entry, wanted) {
  if (wanted === "") return true;
  if (wanted === "violation") {
    return entry.request_violations.length > 0 || (entry.response_violations ?? []).length > 0;
  }
  return String(entry.status).startsWith(wanted);
}

function tellCount() {
  const shown = entries.filter(({ node }) => !node.hidden).length;
  const what = shown === entries.length ? `${shown} requests` : `${shown} of ${entries.length} requests`;
  count.textContent = isPaused ? `${what}, paused` : what;
  empty.hidden = !isRead || entries.length > 0;
}

setInterval(() => {
  if (!isPaused && !document.hidden) follow();
}, EVERY_MS);
follow();
