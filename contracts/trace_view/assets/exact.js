// JSON whose numbers stay as they were written: 9007199254740993 and 1.0 are no JavaScript numbers.

const written = new WeakMap();

/** Read JSON; of a number that would be written otherwise again, keep the text. */
export function parseJson(text) {
  return JSON.parse(text, function keep(name, value, context) {
    if (typeof value === "number" && context && context.source !== String(value)) {
      if (!written.has(this)) written.set(this, new Map());
      written.get(this).set(name, context.source);
    }
    return value;
  });
}

/** Give the text of a number that stands in a holder under a name, null for every other value. */
export function writtenNumber(holder, name) {
  return written.get(holder)?.get(String(name)) ?? null;
}

/** Give a simple value as it is written where it stands. */
export function writtenText(holder, name, value) {
  return writtenNumber(holder, name) ?? String(value);
}

/** Give an object without some of its members; its numbers stay as they were written. */
export function without(holder, ...names) {
  const rest = Object.fromEntries(Object.entries(holder).filter(([name]) => !names.includes(name)));
  if (written.has(holder)) written.set(rest, written.get(holder));
  return rest;
}

/** Give an object with another value in the place of a member's; its numbers stay as they were written. */
export function withMember(holder, name, value) {
  const other = { ...holder, [name]: value };
  if (written.has(holder)) written.set(other, new Map([...written.get(holder)].filter(([one]) => one !== name)));
  return other;
}

/** Give a value as JSON for people. */
export function jsonText(value) {
  return JSON.stringify(value, function exact(name, one) {
    const source = typeof one === "number" ? writtenNumber(this, name) : null;
    return source === null ? one : JSON.rawJSON(source);
  }, 2);
}
