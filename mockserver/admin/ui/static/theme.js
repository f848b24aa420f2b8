// The chosen theme, set before the page is drawn; the button cycles through the three themes.

const KEY = "deadringer theme";
const THEMES = ["auto", "light", "dark"];

function stored() {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null; // storage may be forbidden
  }
}

function show(theme) {
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
  else delete document.documentElement.dataset.theme;
}

function label(button) {
  const now = document.documentElement.dataset.theme ?? "auto";
  const text = `Theme: ${now}`;
  button.setAttribute("aria-label", text);
  button.title = text;
}

show(stored());

document.addEventListener("DOMContentLoaded", () => {
  const button = document.querySelector("[data-theme-button]");
  label(button);
  button.addEventListener("click", () => {
    const now = document.documentElement.dataset.theme ?? "auto";
    const next = THEMES[(THEMES.indexOf(now) + 1) % THEMES.length];
    try {
      localStorage.setItem(KEY, next);
    } catch {
      // then it applies to this page only
    }
    show(next);
    label(button);
  });
});
