// Asks the exported handlers, through the real Mock Service Worker, what standard input lists:
// [{ method, url, headers, body }]. Prints [{ status, body }].
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { setupServer } from "msw/node";

const { handlers } = await import(pathToFileURL(process.argv[2]).href);
const server = setupServer(...handlers);
server.listen({ onUnhandledRequest: "error" });
const responses = [];
for (const { method, url, headers, body } of JSON.parse(readFileSync(0, "utf-8"))) {
  const response = await fetch(url, { method, headers, body });
  responses.push({ status: response.status, body: await response.json() });
}
server.close();
console.log(JSON.stringify(responses));
