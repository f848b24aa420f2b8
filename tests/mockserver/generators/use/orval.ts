// Reads the mock with the functions that orval generates.
import { getExecution, listExecutions } from "./orval.gen.js";
import type { Execution } from "./orval.gen.js";
import { printReadings } from "./readings.js";

const key = process.argv[3];
const id = "wf_def456";

function outcome(run: Execution): string | null {
  // @ts-expect-error The end of any run may be null.
  const end: string = run.ended_at;
  switch (run.status) {
    case "completed":
      return run.ended_at.slice(0);
    case "failed":
      return run.error.slice(0);
    case "running":
      return run.ended_at;
  }
}

async function read(runId: string, sent = key) {
  const response = await getExecution(id, runId, { headers: { "x-api-key": sent } });
  if (response.status === 200) return outcome(response.data.data);
  const { error } = response.data;
  return typeof error === "string" ? error : error.code;
}

const list = await listExecutions(id, undefined, { headers: { "x-api-key": key } });
const rows = list.status === 200 ? list.data.data.executions : [];
await printReadings(
  read,
  rows.map((row) => (row.status === "running" ? "" : row.completed_at.slice(0, 10))),
);
