// Asks the exported handlers, through the real Mock Service Worker, what standard input lists:
// [{ method, url, headers, body }]. Prints [{ status, body }].
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { setupServer } from "msw/node";

const { handlers } = await import(pathToFileURL(process.argv[2]).href);
const server = setupServer(...handlers);
server.listen({ onUnhandledRequest: "error" });
const answers = [];
for (const { method, url, headers, body } of JSON.parse(readFileSync(0, "utf-8"))) {
  const answer = await fetch(url, { method, headers, body });
  answers.push({ status: answer.status, body: await answer.json() });
}
server.close();
console.log(JSON.stringify(answers));
