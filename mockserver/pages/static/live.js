// Parts of a page that are asked for again and again while somebody looks at it.
// <div data-live="PATH" data-every="MILLISECONDS">: PATH answers with the part's new content.

const SLOW_MS = 30_000;

function keepFocus(part) {
  const focused = part.contains(document.activeElement) ? document.activeElement : null;
  const href = focused?.getAttribute("href");
  return () => {
    if (!href) return;
    [...part.querySelectorAll("a[href]")].find((one) => one.getAttribute("href") === href)?.focus();
  };
}

function follow(part) {
  const every = Number(part.dataset.every);
  let shown = null;
  let wait = every;

  async function look() {
    if (!document.hidden) {
      try {
        const response = await fetch(part.dataset.live, { headers: { Accept: "text/html" } });
        const text = await response.text();
        if (response.ok && text !== shown) {
          const restore = keepFocus(part);
          // Our own server escaped it, as it did the page itself.
          part.replaceChildren(...new DOMParser().parseFromString(text, "text/html").body.childNodes);
          restore();
          shown = text;
          part.dispatchEvent(new CustomEvent("renewed", { bubbles: true }));
        }
        wait = every;
      } catch {
        wait = Math.min(wait * 2, SLOW_MS); // the server may be gone
      }
    }
    setTimeout(look, wait);
  }
  setTimeout(look, wait);
}

document.querySelectorAll("[data-live]").forEach(follow);
document.addEventListener("change", (event) => {
  if (event.target.matches("[data-submit]")) event.target.form.requestSubmit();
});
