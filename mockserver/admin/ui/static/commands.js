// The requests of the forms of the control page, made from their current values.

const STEP_S = 60;

/** Return method, path and body; with `isExample`, an empty form uses its placeholders. */
export function clockRequest(form, { isExample = false } = {}) {
  const { now, speed } = form.elements;
  const body = {};
  if (now.value) body.now = now.value;
  if (speed.value) body.speed = Number(speed.value);
  if (isExample && !now.value && !speed.value) body.now = now.placeholder;
  return ["PUT", "/__mock/clock", body];
}

export function stepRequest(seconds = STEP_S) {
  return ["POST", "/__mock/clock/advance", { seconds }];
}

export function runRequest(form) {
  const { workflow, status, drive, steps } = form.elements;
  const body = {};
  if (status.value) body.status = status.value;
  if (drive.value) body.drive = drive.value;
  if (steps.value) body.steps = Number(steps.value);
  return ["POST", `/__mock/workflows/${encodeURIComponent(workflow.value)}/runs`, body];
}

/** Return the Prefer header of Test Workflow for such a run, "" where nothing is preferred. */
export function runPreference(form) {
  const { status, steps } = form.elements;
  return [status.value && `status=${status.value}`, steps.value && `steps=${steps.value}`].filter(Boolean).join(", ");
}

/** Throw a SyntaxError if the parameters are not JSON. */
export function faultRequest(form) {
  const { kind, share, count, path, operation, parameters } = form.elements;
  const body = { kind: kind.value };
  for (const one of [share, count]) if (one.value) body[one.name] = Number(one.value);
  for (const one of [path, operation]) if (one.value) body[one.name] = one.value;
  Object.assign(body, JSON.parse(parameters.value || "{}"));
  return ["POST", "/__mock/faults", body];
}
