// Parts of a page that are asked for again and again while somebody looks at it.
// <div data-live="PATH" data-every="MILLISECONDS">: PATH answers with the part's new content.

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
        if (response.status === 401) location.reload(); // asks for the control token, and comes back
        if (!response.ok) throw new Error(`answered ${response.status}`);
        const text = await response.text();
        await handsOff();
        // Our own server escaped it, as it did the page itself.
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
