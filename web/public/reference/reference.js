// Renders what the console sends: the OpenAPI document, where to call it, and the caller's token.
let reference;

// The policy of this page refuses code made from strings. A library that only tries whether it may
// is told so here, before the browser counts a violation.
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
