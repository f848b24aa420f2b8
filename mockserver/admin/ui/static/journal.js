// The journal page: follows the requests of a session and shows both sides of each.

import { poll, send } from "./control_api.js";
import { el } from "./elements.js";
import { showMessage } from "./message.js";
import { details, summary } from "./journal_entry.js";

const EVERY_MS = 1000;
const MAX_ENTRIES = 1000;
const AT_ONCE = 100;
const OVERLAP = 10; // a slow request may be journaled after newer ones

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
let linked = Number(location.hash.slice(1)); // the number of the entry to open

form.addEventListener("submit", (event) => event.preventDefault());
form.addEventListener("input", filterAll);
pause.addEventListener("click", () => {
  isPaused = !isPaused;
  pause.textContent = isPaused ? "Resume" : "Pause";
  pause.setAttribute("aria-pressed", String(isPaused));
  showCount();
  if (!isPaused) follow();
});
document.getElementById("clear").addEventListener("click", async () => {
  try {
    await send("DELETE", "/__mock/journal");
    forget();
    showMessage("The journal is empty");
  } catch (problem) {
    showMessage(problem.message, { isProblem: true });
  }
});

function forget() {
  generation += 1; // responses to earlier requests are not shown any more
  entries = [];
  list.replaceChildren();
  showCount();
}

function restart() {
  newest = 0;
  known = new Set();
  forget();
  follow();
}

async function follow() {
  const requested = generation;
  const after = Math.max(0, newest - OVERLAP);
  try {
    const page = await poll(`/__mock/journal?after=${after}&limit=${AT_ONCE}`);
    if (requested !== generation) return;
    if (isLost) {
      // Another process may respond now, which counts from the beginning.
      isLost = false;
      showMessage("The mock responds again");
      restart();
      return;
    }
    isRead = true;
    add(page.entries);
    showCount();
    await addOlder(page, after, requested);
  } catch (problem) {
    isLost = true;
    showMessage(`${problem.message}. Trying again`, { isProblem: true });
  }
}

/** Load many entries in pieces, so that the mock can serve other requests meanwhile. */
async function addOlder(page, after, requested) {
  while (page.total > page.entries.length) {
    const before = page.entries.at(-1).number;
    if (entries.length === MAX_ENTRIES && before <= entries.at(-1).entry.number) return;
    page = await poll(`/__mock/journal?after=${after}&before=${before}&limit=${AT_ONCE}`);
    if (requested !== generation) return;
    add(page.entries);
  }
}

function add(received) {
  const arrived = received.filter(({ number }) => !known.has(number));
  if (!arrived.length) return;
  for (const { number } of arrived) known.add(number);
  newest = Math.max(newest, arrived[0].number);
  for (const one of arrived.toReversed().map(row)) place(one);
  openLinked();
  for (const gone of entries.splice(MAX_ENTRIES)) gone.node.remove();
  filterAll();
}

function openLinked() {
  const row = linked && entries.find(({ entry }) => entry.number === linked);
  if (!row) return;
  linked = 0;
  const node = row.node.querySelector("details");
  node.open = true;
  node.scrollIntoView();
}

addEventListener("hashchange", () => {
  linked = Number(location.hash.slice(1));
  openLinked();
});

/** Insert a row by its number; it may arrive after newer ones. */
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
  showCount();
}

function hasStatus(entry, wanted) {
  if (wanted === "") return true;
  if (wanted === "violation") {
    return entry.request_violations.length > 0 || (entry.response_violations ?? []).length > 0;
  }
  return String(entry.status).startsWith(wanted);
}

function showCount() {
  const shown = entries.filter(({ node }) => !node.hidden).length;
  const what = shown === entries.length ? `${shown} requests` : `${shown} of ${entries.length} requests`;
  count.textContent = isPaused ? `${what}, paused` : what;
  empty.hidden = !isRead || entries.length > 0;
}

setInterval(() => {
  if (!isPaused && !document.hidden) follow();
}, EVERY_MS);
follow();
