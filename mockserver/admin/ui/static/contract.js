// The contract page: Swagger UI for the specification, with this mock as its only server.

/* global SwaggerUIBundle */

const place = document.getElementById("reference");
const chooser = document.getElementById("document");

/** Add the session of the page to a request. */
function inSession(request) {
  const session = new URLSearchParams(location.search).get("session");
  if (session) request.headers["X-Mock-Session"] = session;
  return request;
}

async function show() {
  const { url, scheme } = chooser.selectedOptions[0].dataset;
  const response = await fetch(url, { headers: { Accept: "application/json" } });
  const spec = await response.json();
  spec.servers = [{ url: location.origin, description: "This mock" }];
  delete spec.jsonSchemaDialect; // the renderer supports only the default one, and would warn
  const shown = SwaggerUIBundle({
    spec,
    domNode: place,
    presets: [SwaggerUIBundle.presets.apis],
    layout: "BaseLayout",
    deepLinking: true,
    validatorUrl: null,
    tryItOutEnabled: true,
    displayRequestDuration: true,
    requestInterceptor: inSession,
    defaultModelsExpandDepth: 0,
    onComplete: () => {
      const { key } = place.dataset;
      if (scheme && key) shown.preauthorizeApiKey(scheme, key);
      place.dataset.ready = chooser.value;
    },
  });
}

chooser.addEventListener("change", () => {
  delete place.dataset.ready;
  show();
});

const dark = matchMedia("(prefers-color-scheme: dark)");
function paint() {
  const chosen = document.documentElement.dataset.theme;
  const isDark = chosen ? chosen === "dark" : dark.matches;
  document.documentElement.classList.toggle("dark-mode", isDark);
}
dark.addEventListener("change", paint);
new MutationObserver(paint).observe(document.documentElement, { attributeFilter: ["data-theme"] });
paint();
show();
