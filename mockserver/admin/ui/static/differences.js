// Compares two JSON values and lists every place where they differ.

const MOST = 200;

export function differences(before, after) {
  const found = [];
  compare(before, after, "", found);
  return found;
}

function compare(before, after, pointer, found) {
  if (found.length >= MOST || Object.is(before, after)) return;
  if (!isHolder(before) || !isHolder(after) || Array.isArray(before) !== Array.isArray(after)) {
    found.push({ pointer: pointer || "/", before, after });
    return;
  }
  for (const name of new Set([...Object.keys(before), ...Object.keys(after)])) {
    compare(member(before, name), member(after, name), `${pointer}/${escaped(name)}`, found);
  }
}

function isHolder(value) {
  return typeof value === "object" && value !== null;
}

function member(holder, name) {
  return Object.hasOwn(holder, name) ? holder[name] : undefined;
}

function escaped(name) {
  return name.replaceAll("~", "~0").replaceAll("/", "~1");
}
