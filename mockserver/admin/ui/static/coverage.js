// The coverage page: filters the items, follows their counts, and copies lines.

import { poll } from "./control_api.js";
import { copyText } from "./elements.js";
import { showMessage } from "./message.js";

const EVERY_MS = 2000;
const CONFIRMED_MS = 1600;

const form = document.getElementById("filters");
const list = document.querySelector(".items");
const items = [...document.querySelectorAll(".item")];
const found = document.getElementById("found");
const source = `/__mock/coverage${list.dataset.requests}`;
let isLost = false;

function narrow() {
  const text = form.elements.text.value.trim().toLowerCase();
  const { value: section } = form.elements.section;
  const { value: state } = form.elements.state;
  let shown = 0;
  for (const one of items) {
    const isMet = one.dataset.count !== "0";
    const isWanted =
      one.dataset.text.includes(text) &&
      (section === "" || one.dataset.section === section) &&
      (state === "" || isMet === (state === "met"));
    one.hidden = !isWanted;
    shown += isWanted ? 1 : 0;
  }
  found.textContent = `${shown} of ${items.length} items`;
}

function show({ met, sections }) {
  for (const one of items) {
    const count = met[one.dataset.id] ?? 0;
    if (one.dataset.count === String(count)) continue;
    one.dataset.count = count;
    one.classList.toggle("is-completed", count > 0);
    one.classList.toggle("is-pending", count === 0);
    one.querySelector(".count").textContent = count > 0 ? `met ${count}×` : "missing";
  }
  for (const { name, met: number, percent } of sections) {
    const meter = document.querySelector(`.meter[data-section="${name}"]`);
    meter.querySelector(".percent").textContent = `${percent.toFixed(1)}%`;
    meter.querySelector(".met").textContent = number;
    meter.querySelector("progress").value = number;
  }
  narrow();
}

async function follow() {
  if (document.hidden) return;
  try {
    show(await poll(source));
    if (isLost) showMessage("The mock responds again");
    isLost = false;
  } catch (problem) {
    isLost = true;
    showMessage(`${problem.message}. Trying again`, { isProblem: true });
  }
}

list.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  const caption = button.firstElementChild;
  const text = button.previousElementSibling.textContent;
  caption.textContent = (await copyText(text)) ? "Copied" : "Could not copy";
  setTimeout(() => { caption.textContent = "Copy"; }, CONFIRMED_MS);
});
form.addEventListener("input", narrow);
form.addEventListener("submit", (event) => event.preventDefault());
setInterval(follow, EVERY_MS);
narrow();
