// Says in the page's own line what has happened.

export function say(text, { isProblem = false } = {}) {
  const place = document.getElementById("told");
  place.textContent = text;
  place.classList.toggle("problem", isProblem);
}
