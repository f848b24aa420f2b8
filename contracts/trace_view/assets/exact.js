// JSON with exact numbers: JavaScript cannot represent 9007199254740993 or 1.0.

const written = new WeakMap();

/** Parse JSON; store the text of each number that JavaScript would write differently. */
export function parseJson(text) {
  return JSON.parse(text, function keep(name, value, context) {
    if (typeof value === "number" && context && context.source !== String(value)) {
      if (!written.has(this)) written.set(this, new Map());
      written.get(this).set(name, context.source);
    }
    return value;
  });
}

/** Return the stored text of the number at a name in a holder, else null. */
export function writtenNumber(holder, name) {
  return written.get(holder)?.get(String(name)) ?? null;
}

/** Return a simple value as written in the document. */
export function writtenText(holder, name, value) {
  return writtenNumber(holder, name) ?? String(value);
}

/** Return an object without some of its members, with exact numbers. */
export function without(holder, ...names) {
  const rest = Object.fromEntries(Object.entries(holder).filter(([name]) => !names.includes(name)));
  if (written.has(holder)) written.set(rest, written.get(holder));
  return rest;
}

/** Return an object with another value for one member, with exact numbers. */
export function withMember(holder, name, value) {
  const other = { ...holder, [name]: value };
  if (written.has(holder)) written.set(other, new Map([...written.get(holder)].filter(([one]) => one !== name)));
  return other;
}

/** Return a value as indented JSON. */
export function jsonText(value) {
  return JSON.stringify(value, function exact(name, one) {
    const source = typeof one === "number" ? writtenNumber(this, name) : null;
    return source === null ? one : JSON.rawJSON(source);
  }, 2);
}
