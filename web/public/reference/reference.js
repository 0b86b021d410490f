// Renders what the console sends: the OpenAPI document, the address of the API and an ID token.
let reference;

// The Content-Security-Policy of this page forbids code from strings. A library that tests whether
// it is allowed gets its answer here, so that the browser does not report a violation.
const refuse = () => {
  throw new EvalError("Code from strings is not allowed here.");
};
globalThis.Function = new Proxy(Function, { apply: refuse, construct: refuse });

addEventListener("message", ({ origin, data }) => {
  if (origin !== location.origin || !data?.document) return;
  const configuration = {
    content: data.document,
    servers: [{ url: data.server }],
    authentication: {
      preferredSecurityScheme: Object.keys(data.document.components?.securitySchemes ?? {})[0],
      securitySchemes: Object.fromEntries(
        Object.keys(data.document.components?.securitySchemes ?? {}).map((name) => [
          name,
          { token: data.token },
        ]),
      ),
    },
    layout: "modern",
    theme: "none",
    forceDarkModeState: data.dark ? "dark" : "light",
    hideDarkModeToggle: true,
    hideClientButton: true,
    hideModels: true,
    showDeveloperTools: "never",
    showSidebar: innerWidth > 900,
    withDefaultFonts: false,
    telemetry: false,
    agent: { disabled: true },
    mcp: { disabled: true },
    defaultOpenAllTags: true,
    defaultHttpClient: { targetKey: "shell", clientKey: "curl" },
    documentDownloadType: "none",
  };
  if (reference) reference.updateConfiguration(configuration);
  else reference = window.Scalar.createApiReference("#reference", configuration);
});
document.addEventListener("DOMContentLoaded", () =>
  parent.postMessage("reference ready", location.origin),
);
