// Shows a message in the page; a problem stays until the next message.

const SHOWN_MS = 6000;
let waiting;

export function showMessage(text, { isProblem = false } = {}) {
  const place = document.getElementById("message");
  place.textContent = text;
  place.classList.toggle("problem", isProblem);
  clearTimeout(waiting);
  if (!isProblem) waiting = setTimeout(() => { place.textContent = ""; }, SHOWN_MS);
}
