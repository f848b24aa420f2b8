// The items of a trace: steps, loops with iterations, and actions without a step.

import { momentOf } from "./format.js";

const BUILT_IN = "builtin:";

/** Return an execution's steps as objects, for any document. */
export function stepsOf(execution) {
  const listed = Array.isArray(execution?.steps) ? execution.steps : [];
  return listed.map((step) => (step && typeof step === "object" && !Array.isArray(step) ? step : { step_name: "not an object", input: step }));
}

/** Return the display name of a step. */
export function nameOf(step) {
  return String(step.step_name ?? step.step_id ?? "unnamed step");
}

/** Return the actions of a workflow's definition by id; none without a definition. */
export function actionsOf(workflow) {
  const actions = workflow?.workflow?.actions;
  return new Map((Array.isArray(actions) ? actions : []).map((action) => [action.id, action]));
}

function edgesOf(workflow) {
  const edges = workflow?.workflow?.edges;
  return Array.isArray(edges) ? edges : [];
}

/** Return the branch of a step: the names of condition and branch, or null. */
export function branchOf(workflow, stepId) {
  const edge = edgesOf(workflow).find((one) => one.to === stepId && ["if", "else"].includes(one.conditional?.type));
  if (!edge) return null;
  return { condition: actionsOf(workflow).get(edge.from)?.name ?? edge.from, name: edge.name ?? edge.conditional.type };
}

function loopName(workflow, stepId) {
  const edge = edgesOf(workflow).find((one) => one.to === stepId && one.conditional?.type === "loop");
  const action = edge && actionsOf(workflow).get(edge.from);
  return action ? action.name ?? "Loop" : "Loop";
}

/** Return the items of a trace in order: {kind: "step" | "loop" | "absent", ...}. */
export function itemsOf(execution, workflow) {
  const items = [];
  stepsOf(execution).forEach((step, index) => {
    const iteration = step.iteration;
    if (iteration === null || iteration === undefined) {
      items.push({ kind: "step", key: `step ${index}`, step, index });
      return;
    }
    const last = items.at(-1);
    const loop = last?.kind === "loop" ? last : {
      kind: "loop", key: `loop ${items.filter((one) => one.kind === "loop").length}`,
      name: loopName(workflow, step.step_id), iterations: new Map(),
    };
    if (loop !== last) items.push(loop);
    const own = loop.iterations.get(iteration) ?? [];
    own.push({ step, index });
    loop.iterations.set(iteration, own);
  });
  return [...items, ...absentOf(execution, workflow)];
}

function absentOf(execution, workflow) {
  const seen = new Set(stepsOf(execution).map((step) => step.step_id));
  return [...actionsOf(workflow).values()]
    .filter((action) => !seen.has(action.id) && !String(action.kind).startsWith(BUILT_IN))
    .map((action) => ({ kind: "absent", key: `absent ${action.id}`, action }));
}

/** Return the most important status of several steps. */
export function statusOfAll(steps) {
  const all = new Set(steps.map((step) => step.status));
  return ["failed", "running", "pending", "completed"].find((status) => all.has(status)) ?? steps[0]?.status;
}

/** Return the rows of items, with some loops and iterations unfolded. */
export function rowsOf(items, unfolded) {
  const rows = [];
  for (const item of items) {
    if (item.kind !== "loop") {
      rows.push({ ...item, depth: 0 });
      continue;
    }
    const all = [...item.iterations.values()].flat();
    rows.push({ ...item, depth: 0, ...many(all), isOpen: unfolded.has(item.key) });
    if (!unfolded.has(item.key)) continue;
    for (const [iteration, own] of item.iterations) {
      const key = `${item.key} iteration ${iteration}`;
      if (own.length === 1) {
        rows.push({ kind: "step", key: `step ${own[0].index}`, ...own[0], depth: 1, prefix: iteration });
        continue;
      }
      rows.push({ kind: "iteration", key, iteration, ...many(own), depth: 1, isOpen: unfolded.has(key) });
      if (unfolded.has(key)) own.forEach((one) => rows.push({ kind: "step", key: `step ${one.index}`, ...one, depth: 2 }));
    }
  }
  return rows;
}

function many(own) {
  return { steps: own.map((one) => one.step), indexes: own.map((one) => one.index) };
}

/** Return the keys to unfold to make a step visible. */
export function wayTo(items, index) {
  for (const item of items) {
    if (item.kind !== "loop") continue;
    for (const [iteration, own] of item.iterations) {
      if (own.some((one) => one.index === index)) return [item.key, `${item.key} iteration ${iteration}`];
    }
  }
  return [];
}

/** Return the time span of the run as {begin, end} in ms since 1970; `now` ends a running run. */
export function spanOf(execution, now) {
  const moments = [execution?.started_at, execution?.ended_at].map(momentOf);
  for (const step of stepsOf(execution)) moments.push(momentOf(step.started_at), momentOf(step.ended_at));
  if (execution?.status === "running") moments.push(momentOf(now));
  const known = moments.filter((moment) => moment !== null);
  if (!known.length) return { begin: 0, end: 1 };
  const begin = known.reduce((one, other) => Math.min(one, other));
  const end = known.reduce((one, other) => Math.max(one, other));
  return { begin, end: Math.max(end, begin + 1) };
}

/** Return the time span of some steps, null if none has begun. */
export function timeOf(steps, end) {
  const begins = steps.map((step) => momentOf(step.started_at)).filter((one) => one !== null);
  if (!begins.length) return null;
  const ends = steps.map((step) => momentOf(step.ended_at) ?? (step.status === "running" ? end : momentOf(step.started_at)));
  return {
    begin: begins.reduce((one, other) => Math.min(one, other)),
    end: ends.reduce((one, other) => Math.max(one, other ?? one), -Infinity),
  };
}

const REFERENCE = /!ref\(\$\.(?:steps\.)?([^.)\s]+)/g;

/** Return, by input name, the ids of the steps (or `trigger`) that its value comes from. */
export function sourcesOf(workflow, stepId) {
  const inputs = actionsOf(workflow).get(stepId)?.inputs;
  const sources = new Map();
  for (const [name, written] of Object.entries(inputs ?? {})) {
    const ids = new Set([...JSON.stringify(written).matchAll(REFERENCE)].map((match) => match[1]));
    if (ids.size) sources.set(name, [...ids]);
  }
  return sources;
}
