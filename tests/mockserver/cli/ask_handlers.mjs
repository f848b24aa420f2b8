// Asks the exported handlers, through the real Mock Service Worker, what standard input lists:
// [{ method, url, headers, body }], with the options for createHandlers as an argument.
// Prints [{ status, body }]: status 0 is a network error, body null is no JSON.
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

// Mock Service Worker 3 is written for Node 22, which has this.
Promise.withResolvers ??= () => {
  const made = {};
  made.promise = new Promise((resolve, reject) => Object.assign(made, { resolve, reject }));
  return made;
};
const { setupServer } = await import("msw/node");
const { createHandlers } = await import(pathToFileURL(process.argv[2]).href);
const server = setupServer(...createHandlers(JSON.parse(process.argv[3] ?? "{}")));
server.listen({ onUnhandledRequest: "error" });
const responses = [];
for (const { method, url, headers, body, wait_ms } of JSON.parse(readFileSync(0, "utf-8"))) {
  if (wait_ms) await new Promise((done) => setTimeout(done, wait_ms));
  const run = responses.at(-1)?.body?.data?.test_run_id ?? responses.run;
  responses.run = run;
  try {
    const response = await fetch(url.replace("{started}", run), { method, headers, body });
    const text = await response.text();
    let parsed = null;
    try { parsed = JSON.parse(text); } catch { /* no JSON */ }
    responses.push({ status: response.status, body: parsed });
  } catch {
    responses.push({ status: 0, body: null });
  }
}
server.close();
console.log(JSON.stringify([...responses]));
