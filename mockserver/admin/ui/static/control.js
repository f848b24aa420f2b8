// The control page: every switch and button is a request of the control API.

import { Refusal, controlCurl, curlOf, inSession, keyShown, poll, send } from "./control_api.js";
import { clockRequest, faultRequest, runPreference, runRequest, stepRequest } from "./commands.js";
import { copyButton, el } from "./elements.js";
import { showMessage } from "./message.js";

const EVERY_MS = 2000;

const switches = [...document.querySelectorAll("[role=switch]")];
const clock = document.getElementById("clock");
const search = document.getElementById("search");
const active = document.getElementById("active");

const form = (id) => document.getElementById(id);
const NOT_JSON = "The parameters are not JSON, such as {\"delay_ms\": 800}";

let state = null;
let readAt = 0;
let isSilent = false;

const SPEED_BEFORE = inSession("speed-before"); // survives a reload while the clock is frozen

async function act(method, path, body, message) {
  try {
    const result = await send(method, path, body);
    await refresh();
    showMessage(typeof message === "function" ? message(result) : message);
    return result;
  } catch (problem) {
    showMessage(problem.message, { isProblem: true });
    await refresh();
    return null;
  }
}

async function refresh() {
  try {
    state = await poll("/__mock/state");
    readAt = performance.now();
    if (isSilent) showMessage("");
    isSilent = false;
    show();
  } catch (problem) {
    isSilent = !(problem instanceof Refusal);
    showMessage(isSilent ? "The mock does not respond; trying again" : problem.message, { isProblem: true });
  }
}

function show() {
  for (const one of switches) one.setAttribute("aria-checked", String(isOn(one)));
  for (const group of document.querySelectorAll("[data-group]")) {
    const on = group.querySelectorAll("[aria-checked=true]").length;
    group.querySelector(".on").textContent = on ? `${on} on` : "";
  }
  showActive();
  showClock();
}

function isOn(one) {
  const { kind, name } = one.dataset;
  if (kind === "contract") return state.contract_faults.includes(name);
  if (kind === "chaos") return state.chaos === name;
  if (kind === "scenario") return state.scenario === name;
  return faultsOf(one).length > 0;
}

function faultsOf(one) {
  const wanted = JSON.parse(one.dataset.body);
  return state.faults.filter((fault) => {
    const { id: _id, ...rest } = fault;
    return JSON.stringify(rest) === JSON.stringify(wanted);
  });
}

for (const one of switches) {
  one.addEventListener("click", async () => {
    const willBeOn = one.getAttribute("aria-checked") !== "true";
    for (const [method, path, body] of willBeOn ? [turnOn(one)] : turnOff(one)) {
      await act(method, path, body, `${one.dataset.name} is ${willBeOn ? "on" : "off"}`);
    }
  });
}

function turnOn({ dataset: { kind, name, body } }) {
  if (kind === "contract") return ["PUT", `/__mock/contract-faults/${name}`];
  if (kind === "chaos") return ["PUT", "/__mock/chaos", { profile: name }];
  if (kind === "scenario") return ["PUT", "/__mock/scenario", { name }];
  return ["POST", "/__mock/faults", JSON.parse(body)];
}

function turnOff(one) {
  const { kind, name } = one.dataset;
  if (kind === "contract") return [["DELETE", `/__mock/contract-faults/${name}`]];
  if (kind === "chaos") return [["DELETE", "/__mock/chaos"]];
  if (kind === "scenario") return [["DELETE", "/__mock/scenario"]];
  return faultsOf(one).map((fault) => ["DELETE", `/__mock/faults/${fault.id}`]);
}

for (const how of document.querySelectorAll("details.how")) {
  how.addEventListener("toggle", () => fill(how));
  how.closest(".panel")?.addEventListener("input", () => fill(how));
}

function fill(how) {
  if (!how.open) return;
  how.querySelector(".lines")?.remove();
  how.append(el("div", { class: "lines" }, ...("of" in how.dataset ? linesOfPanel(how.dataset.of) : linesOfSwitch(how))));
}

function linesOfSwitch(how) {
  const one = how.closest(".switch").querySelector("[role=switch]");
  const { example, prefer } = one.dataset;
  const headers = { Prefer: prefer, "x-api-key": keyShown() };
  return [line("curl", controlCurl(...turnOn(one))), ...preferred(prefer, "GET", example, { headers })];
}

function preferred(prefer, method, path, sent) {
  if (!prefer) return [el("p", { class: "muted" }, "No Prefer header does this: it stays on until it is turned off.")];
  return [line("For one request", `Prefer: ${prefer}`), line("as curl", curlOf(method, path, sent))];
}

function linesOfPanel(name) {
  try {
    return lines[name]();
  } catch {
    return [el("p", { class: "bad" }, NOT_JSON)];
  }
}

function line(label, text) {
  return el(
    "div",
    { class: "line" },
    el("span", { class: "muted" }, label),
    el("code", {}, text),
    copyButton("Copy", () => text, { class: "small" }),
  );
}

function showActive() {
  const faults = state.faults.map((fault) => {
    const { id, ...rest } = fault;
    const off = el("button", { type: "button", class: "small" }, "Remove");
    off.addEventListener("click", () => act("DELETE", `/__mock/faults/${id}`, undefined, "The fault is removed"));
    return el("li", {}, el("code", {}, JSON.stringify(rest)), " ", off);
  });
  active.replaceChildren(...faults);
  document.getElementById("active-none").hidden = faults.length > 0;
}

function showClock() {
  if (!clock) return; // a proxy has none
  const { now, mode, speed } = state.clock;
  if (mode !== "frozen") sessionStorage.setItem(SPEED_BEFORE, speed);
  const passed = mode === "frozen" ? 0 : (performance.now() - readAt) * speed;
  const shown = new Date(Date.parse(now) + passed);
  clock.textContent = Number.isNaN(shown.getTime()) ? now : shown.toISOString();
  document.getElementById("clock-mode").textContent = mode === "frozen" ? "frozen" : `${speed} × real time`;
  document.getElementById("freeze").textContent = mode === "frozen" ? "Unfreeze" : "Freeze";
}

const commands = {
  freeze: () => ["PUT", "/__mock/clock", { speed: state?.clock.mode === "frozen" ? speedBefore() : 0 }],
  "clock-back": () => ["DELETE", "/__mock/clock"],
  reset: () => ["POST", "/__mock/reset"],
  "contract-none": () => ["DELETE", "/__mock/contract-faults"],
  "faults-none": () => ["DELETE", "/__mock/faults"],
};
const commandLine = (label, id) => line(label, controlCurl(...request(commands[id])));

/** The curl lines of a panel: what its buttons and its form would send now. */
const lines = {
  clock: () => [
    line("freeze", controlCurl("PUT", "/__mock/clock", { speed: 0 })),
    line("unfreeze", controlCurl("PUT", "/__mock/clock", { speed: speedBefore() })),
    line("step", controlCurl(...stepRequest())),
    line("set", controlCurl(...clockRequest(form("set-clock"), { isExample: true }))),
    commandLine("back", "clock-back"),
  ],
  reset: () => [commandLine("reset", "reset")],
  "contract-none": () => [commandLine("all off", "contract-none")],
  "faults-none": () => [commandLine("all off", "faults-none")],
  "start-run": () => [line("start", controlCurl(...runRequest(form("start-run")))), ...testRun(form("start-run"))],
  "add-fault": () => [line("add", controlCurl(...faultRequest(form("add-fault")))), ...faultOnce(form("add-fault"))],
};

function testRun(runForm) {
  const prefer = runPreference(runForm);
  const path = `/v1/workflows/${encodeURIComponent(runForm.elements.workflow.value)}/test`;
  const headers = { ...(prefer && { Prefer: prefer }), "x-api-key": keyShown(), "content-type": "application/json" };
  const asTest = line("as a test run", curlOf("POST", path, { headers, body: {} }));
  return prefer ? [line("For a test run", `Prefer: ${prefer}`), asTest] : [asTest];
}

function faultOnce(faultForm) {
  const one = switches.find(({ dataset }) => dataset.kind === "transport" && dataset.name === faultForm.elements.kind.value);
  if (!one) return [];
  const { example, prefer } = one.dataset;
  return preferred(prefer, "GET", example, { headers: { Prefer: prefer, "x-api-key": keyShown() } });
}

for (const [id, command] of Object.entries(commands)) {
  const button = document.getElementById(id);
  button?.addEventListener("click", () => act(...request(command), button.dataset.message));
}
for (const button of document.querySelectorAll("[data-seconds]")) {
  button.addEventListener("click", () => step(Number(button.dataset.seconds)));
}

function speedBefore() {
  return Number(sessionStorage.getItem(SPEED_BEFORE)) || 1;
}

/** Return method, path and body of a command; the body may be undefined. */
function request(command) {
  const [method, path, body] = command();
  return [method, path, body];
}

function step(seconds) {
  return act(...stepRequest(seconds), `The clock advanced by ${seconds} s`);
}

function onSubmit(id, handle) {
  document.getElementById(id)?.addEventListener("submit", (event) => {
    event.preventDefault();
    handle(event.target);
  });
}

onSubmit("set-clock", (form) => act(...clockRequest(form), "The clock is set"));

onSubmit("start-run", async (form) => {
  const [method, path, body] = runRequest(form);
  const run = await act(method, path, body, (started) => `${started.run_id} has started`);
  if (run) document.getElementById("started").prepend(started(run, path, body));
});

function started(run, path, body) {
  const ids = `${encodeURIComponent(run.workflow_id)}/${encodeURIComponent(run.run_id)}`;
  const node = el(
    "li",
    {},
    el("a", { href: inSession(document.getElementById("started").dataset.trace + ids) }, run.run_id),
    ` of ${run.workflow_id}, advanced by ${run.drive} `,
  );
  if (["manual", "read"].includes(run.drive)) {
    const on = `/__mock/workflows/${encodeURIComponent(run.workflow_id)}/executions/${encodeURIComponent(run.run_id)}/advance`;
    const button = el("button", { type: "button", class: "small" }, "Next transition");
    button.addEventListener("click", () => act("POST", on, {}, (now) => `${run.run_id} is ${now.status}`));
    node.append(button, " ");
  }
  node.append(copyButton("Copy curl", () => controlCurl("POST", path, body), { class: "small" }));
  return node;
}

onSubmit("add-fault", (form) => {
  try {
    const [method, path, body] = faultRequest(form);
    act(method, path, body, `A ${body.kind} fault is on`);
  } catch {
    showMessage(NOT_JSON, { isProblem: true });
  }
});

search.addEventListener("input", () => {
  const wanted = search.value.trim().toLowerCase();
  let shown = 0;
  for (const group of document.querySelectorAll("#contract-faults [data-group]")) {
    const rows = [...group.querySelectorAll(".switch")];
    for (const row of rows) row.hidden = !row.dataset.text.includes(wanted);
    const left = rows.filter((row) => !row.hidden).length;
    group.hidden = left === 0;
    if (wanted) group.open = left > 0;
    shown += left;
  }
  document.getElementById("found").textContent = wanted ? `${shown} found` : "";
});

setInterval(() => {
  if (!document.hidden) refresh();
}, EVERY_MS);
setInterval(() => state && showClock(), 100);
refresh();
