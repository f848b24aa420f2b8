// Says in a corner of the page what has happened; a problem stays until something else is said.

const SHOWN_MS = 6000;
let waiting;

export function say(text, { isProblem = false } = {}) {
  const place = document.getElementById("told");
  place.textContent = text;
  place.classList.toggle("problem", isProblem);
  clearTimeout(waiting);
  if (!isProblem) waiting = setTimeout(() => { place.textContent = ""; }, SHOWN_MS);
}
