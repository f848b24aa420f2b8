// The rules page: filters the rules by text, group and severity.

const form = document.getElementById("filters");
const rules = [...document.querySelectorAll(".rule")];
const found = document.getElementById("found");

function narrow() {
  const text = form.elements.text.value.trim().toLowerCase();
  const { value: group } = form.elements.group;
  const { value: severity } = form.elements.severity;
  let shown = 0;
  for (const one of rules) {
    const isWanted =
      one.dataset.text.includes(text) &&
      (group === "" || one.dataset.group === group) &&
      (severity === "" || one.dataset.severity === severity);
    one.hidden = !isWanted;
    shown += isWanted ? 1 : 0;
  }
  found.textContent = `${shown} of ${rules.length} rules`;
}

function openNamed() {
  const name = decodeURIComponent(location.hash.slice(1));
  const one = rules.find(({ id, dataset }) => id === name || dataset.name === name);
  if (!one) return;
  one.hidden = false;
  one.open = true;
  one.scrollIntoView();
}

form.addEventListener("input", narrow);
form.addEventListener("submit", (event) => event.preventDefault());
addEventListener("hashchange", openNamed);
narrow();
openNamed();
