// Reads the mock with the classes that OpenAPI Generator (typescript-fetch) generates.
import {
  ApiErrorFromJSON,
  Configuration,
  ErrorRateLimitedFromJSON,
  ErrorUnauthorizedFromJSON,
  ExecutionsApi,
  ResponseError,
} from "./openapi_generator/index.js";
import type { Execution } from "./openapi_generator/index.js";
import { printReadings } from "./readings.js";

const [, , basePath, key] = process.argv;
const id = "wf_def456";
const parsers = new Map([
  [401, ErrorUnauthorizedFromJSON],
  [404, ApiErrorFromJSON],
  [429, ErrorRateLimitedFromJSON],
]);

function outcome(run: Execution): string | null {
  // @ts-expect-error The end of any run may be null.
  const end: Date = run.endedAt;
  switch (run.status) {
    case "completed":
      return run.endedAt.toISOString();
    case "failed":
      return run.error.slice(0);
    case "running":
      return run.endedAt;
  }
}

async function read(runId: string, apiKey = key) {
  try {
    const api = new ExecutionsApi(new Configuration({ basePath, apiKey }));
    return outcome((await api.getExecution({ id, runId })).data);
  } catch (thrown) {
    if (!(thrown instanceof ResponseError)) throw thrown;
    const body = parsers.get(thrown.response.status)?.(await thrown.response.json());
    return typeof body?.error === "string" ? body.error : body?.error.code;
  }
}

const list = await new ExecutionsApi(new Configuration({ basePath, apiKey: key })).listExecutions({ id });
await printReadings(
  read,
  list.data.executions.map((row) => (row.status === "running" ? "" : row.completedAt.toISOString().slice(0, 10))),
);
