// Reads the mock with the functions that @hey-api/openapi-ts generates.
import { client } from "./hey_api/client.gen.js";
import { getExecution, listExecutions } from "./hey_api/sdk.gen.js";
import type { Execution } from "./hey_api/types.gen.js";
import { printReadings } from "./readings.js";

const [, , baseUrl, key] = process.argv;
const id = "wf_def456";
client.setConfig({ baseUrl });

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

async function read(runId: string, auth = key) {
  const { data, error } = await getExecution({ path: { id, runId }, auth });
  if (data) return outcome(data.data);
  return typeof error.error === "string" ? error.error : error.error.code;
}

const { data } = await listExecutions({ path: { id }, auth: key });
await printReadings(
  read,
  data?.data.executions.map((row) => (row.status === "running" ? "" : row.completed_at.slice(0, 10))),
);
