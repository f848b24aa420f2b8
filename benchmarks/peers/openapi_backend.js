// openapi-backend as a mock, as its documentation shows it.
// Run: node openapi_backend.js NODE_MODULES SPECIFICATION PORT
const http = require("http");
const [modules, specification, port] = process.argv.slice(2);
const { OpenAPIBackend } = require(`${modules}/openapi-backend`);

const api = new OpenAPIBackend({ definition: specification, quick: true });
api.register("notImplemented", (context, request, response) => {
  const { status, mock } = context.api.mockResponseForOperation(context.operation.operationId);
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify(mock));
});
api.registerSecurityHandler("apiKey", (context) => Boolean(context.request.headers["x-api-key"]));
api.init().then(() => {
  http
    .createServer((request, response) => {
      const { method, url: path, headers } = request;
      api.handleRequest({ method, path, headers }, request, response);
    })
    .listen(Number(port), "127.0.0.1");
});
