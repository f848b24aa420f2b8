// Parts of a page that are reloaded regularly while the page is visible.
// <div data-live="PATH" data-every="MILLISECONDS">: PATH returns the new content of the part.

import { Silence, handsOff, renewChildren } from "./renewing.js";

const SLOW_MS = 30_000;

function follow(part) {
  const every = Number(part.dataset.every);
  const silence = new Silence();
  let wait = every;

  async function look() {
    if (!document.hidden) {
      try {
        const response = await fetch(part.dataset.live, { headers: { Accept: "text/html" } });
        if (response.status === 401) location.reload(); // leads to the sign-in page
        if (!response.ok) throw new Error(`status ${response.status}`);
        const text = await response.text();
        await handsOff();
        // The server escaped it, like the page itself.
        renewChildren(part, [...new DOMParser().parseFromString(text, "text/html").body.childNodes]);
        silence.heard();
        wait = every;
      } catch {
        silence.missed();
        wait = Math.min(wait * 2, SLOW_MS);
      }
    }
    setTimeout(look, wait);
  }
  part.before(silence.element);
  setTimeout(look, wait);
}

document.querySelectorAll("[data-live]").forEach(follow);
document.addEventListener("change", (event) => {
  if (event.target.matches("[data-submit]")) event.target.form.requestSubmit();
});
