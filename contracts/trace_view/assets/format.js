// Format times and sizes for display; values may be of any type.

const UNITS = [
  [86_400_000, "d"], [3_600_000, "h"], [60_000, "min"], [1000, "s"],
];
const DECIMALS_BELOW_MS = 60_000;

/** Return milliseconds as `950 ms`, `4.32 s`, `2 min 5 s`; "" if not a number. */
export function durationText(value) {
  if (typeof value !== "number" || !Number.isFinite(value)) return "";
  const size = Math.abs(value);
  if (size < 1000) return `${Number(value.toFixed(1))} ms`;
  if (size < DECIMALS_BELOW_MS) return `${Number((value / 1000).toFixed(2))} s`;
  const at = UNITS.findIndex(([length]) => size >= length);
  const [length, unit] = UNITS[at];
  const [below, belowUnit] = UNITS[at + 1];
  const rest = Math.floor((size % length) / below);
  return `${Math.floor(size / length)} ${unit}${rest ? ` ${rest} ${belowUnit}` : ""}`;
}

const TIMESTAMP = /^(\d{4}-\d{2}-\d{2})[Tt](\d{2}:\d{2})(:\d{2})?(?:[.,](\d+))?(?:([Zz])|([+-]\d{2})(?::?(\d{2}))?)?$/;

/** Return a timestamp in ms since 1970, null if invalid; without a zone it is UTC. */
export function momentOf(value) {
  const found = typeof value === "string" && value.match(TIMESTAMP);
  if (!found) return null;
  const [, day, minute, second = ":00", fraction = "0", , hours, minutes = "00"] = found;
  const moment = Date.parse(`${day}T${minute}${second}.${fraction.slice(0, 3).padEnd(3, "0")}${hours ? `${hours}:${minutes}` : "Z"}`);
  return Number.isNaN(moment) ? null : moment;
}

function namesZone(value) {
  const [, , , , , utc, hours] = value.match(TIMESTAMP);
  return Boolean(utc ?? hours);
}

/** Return a timestamp as `24 Mar 2026, 15:30:10.480 UTC`; other values unchanged. */
export function momentText(value) {
  const moment = momentOf(value);
  if (moment === null) return value === null || value === undefined ? "–" : String(value);
  const [day, time] = new Date(moment).toISOString().split("T");
  const [year, month, date] = day.split("-");
  const names = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ");
  return `${Number(date)} ${names[month - 1]} ${year}, ${time.slice(0, 12)} UTC${namesZone(value) ? "" : " (it names no zone)"}`;
}

const TICK_STEPS = [
  ...[0, 1, 2].flatMap((power) => [1, 2, 5].map((digit) => digit * 10 ** power)),
  ...[1, 2, 5, 10, 15, 30].map((seconds) => seconds * 1000),
  ...[1, 2, 5, 10, 15, 30].map((minutes) => minutes * 60_000),
  ...[1, 2, 4, 6, 12, 24, 48, 168].map((hours) => hours * 3_600_000),
];

/** Return the ticks (round values, ms from the beginning) of an axis of some length. */
export function ticksOf(lengthMs, wanted) {
  let step = TICK_STEPS.find((one) => lengthMs / one <= wanted);
  if (!step) step = Math.ceil(lengthMs / wanted / 86_400_000) * 86_400_000;
  const ticks = [];
  for (let at = 0; at <= lengthMs; at += step) ticks.push(at);
  return ticks;
}

/** Return a count with its word: `1 step`, `2,000 steps`. */
export function countText(count, word) {
  return `${count.toLocaleString("en")} ${word}${count === 1 ? "" : "s"}`;
}

/** Return a text cut to a length. */
export function shortened(text, length) {
  const points = [...text.slice(0, 2 * length + 2)];
  return points.length > length ? `${points.slice(0, length).join("")}…` : text;
}

/** Return any value as one line of JSON, cut to a length. */
export function previewOf(value, length = 80) {
  if (value === undefined) return "not there";
  if (typeof value === "string") return shortened(JSON.stringify(shortened(value, length)), length);
  if (Array.isArray(value)) return value.length ? `[ ${countText(value.length, "item")} ]` : "[]";
  if (value && typeof value === "object") {
    const names = Object.keys(value);
    return names.length ? shortened(`{ ${names.slice(0, 6).join(", ")}${names.length > 6 ? ", …" : ""} }`, length) : "{}";
  }
  return String(value);
}
