// Elements out of names, properties and children. Text stays text: nothing here reads markup.

/** Make an element; a child is an element, a text, or null. `on…` properties are listeners. */
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

/** Give a text that stands apart from the direction of what is around it. */
export function isolated(text, className = "") {
  return el("bdi", { class: className }, String(text));
}

/** Give the address a text is, if it is one that may become a link, else null. */
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

/** Give the class of a status; one that nobody knows looks like pending. */
export function statusClass(status) {
  return `is-${STATUSES.includes(status) ? status : "pending"}`;
}

/** Give a status as colour, shape and word. */
export function statusBadge(status, note = "") {
  return el(
    "span", { class: `status ${statusClass(status)}` },
    el("span", { class: "mark", "aria-hidden": "true" }), isolated(`${status ?? "no status"}${note}`),
  );
}

/** Give a button that does something. */
export function button(label, onclick, properties = {}) {
  return el("button", { type: "button", ...properties, onclick }, label);
}

/** Give a button that copies what `text()` gives, and says so. */
export function copyButton(label, text, properties = {}) {
  const said = el("span", {}, label);
  const made = button(said, async () => {
    said.textContent = (await copyText(text())) ? "Copied" : "Could not copy";
    setTimeout(() => { said.textContent = label; }, 1600);
  }, properties);
  said.setAttribute("aria-live", "polite");
  return made;
}

async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copyBySelection(text); // a page that is a file, or is not from this machine
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
