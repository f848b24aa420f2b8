// Create elements from names, properties and children. Text is never parsed as markup.

/** Return a new element; a child is an element, a text, or null. `on…` properties are listeners. */
export function el(name, properties = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (value === null || value === undefined || value === false) continue;
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (key === "class") element.className = value;
    else element.setAttribute(key, value === true ? "" : String(value));
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return element;
}

/** Return a text isolated from the text direction around it. */
export function isolated(text, className = "") {
  return el("bdi", { class: className }, String(text));
}

/** Return the text if it is a URL that may become a link, else null. */
export function webAddress(text) {
  if (typeof text !== "string" || !/^https?:\/\//i.test(text) || text.length > 2000) return null;
  try {
    const { protocol } = new URL(text);
    return protocol === "http:" || protocol === "https:" ? text : null;
  } catch {
    return null;
  }
}

const STATUSES = ["completed", "failed", "running", "pending", "skipped"];

/** Return the CSS class of a status; unknown statuses look like pending. */
export function statusClass(status) {
  return `is-${STATUSES.includes(status) ? status : "pending"}`;
}

/** Return a status as colour, shape and word. */
export function statusBadge(status, suffix = "") {
  return el(
    "span", { class: `status ${statusClass(status)}` },
    el("span", { class: "mark", "aria-hidden": "true" }), isolated(`${status ?? "no status"}${suffix}`),
  );
}

/** Return a button. */
export function button(label, onclick, properties = {}) {
  return el("button", { type: "button", ...properties, onclick }, label);
}

/** Return a button that copies the result of `text()` and confirms it. */
export function copyButton(label, text, properties = {}) {
  const caption = el("span", {}, label);
  const made = button(caption, async () => {
    caption.textContent = (await copyText(text())) ? "Copied" : "Could not copy";
    setTimeout(() => { caption.textContent = label; }, 1600);
  }, properties);
  caption.setAttribute("aria-live", "polite");
  return made;
}

/** Copy a text; return whether that was possible. */
export async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copyBySelection(text); // the page is a file, or not from this machine
  }
}

function copyBySelection(text) {
  const area = el("textarea", { class: "unseen", "aria-hidden": "true" });
  area.value = text;
  document.body.append(area);
  area.select();
  const done = document.execCommand("copy");
  area.remove();
  return done;
}
