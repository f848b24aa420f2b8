// Reads the mock with openapi-fetch, by the types of openapi-typescript.
import createClient from "openapi-fetch";
import type { components, paths } from "./openapi_typescript.gen.js";
import { printReadings } from "./readings.js";

type Schemas = components["schemas"];

const [, , baseUrl, key] = process.argv;
const id = "wf_def456";

function outcome(run: Schemas["Execution"]): string | null {
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
  const client = createClient<paths>({ baseUrl, headers: { "x-api-key": sent } });
  const { data, error } = await client.GET("/v1/workflows/{id}/executions/{runId}", {
    params: { path: { id, runId } },
  });
  if (data) return outcome(data.data);
  return typeof error.error === "string" ? error.error : error.error.code;
}

const client = createClient<paths>({ baseUrl, headers: { "x-api-key": key } });
const { data } = await client.GET("/v1/workflows/{id}/executions", { params: { path: { id } } });
await printReadings(
  read,
  data?.data.executions.map((row) => (row.status === "running" ? "" : row.completed_at.slice(0, 10))),
);
