/** The build of the console, and of the API reference, which is a separate document. */
import { copyFileSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { defaultClientConditions, defaultServerConditions, defineConfig, type Plugin } from "vite";

const here = import.meta.dirname;
const openapi = resolve(here, "../openapi.json");

/** Scalar is published as one bundled file, so it is copied. */
function reference(): Plugin {
  return {
    name: "reference",
    apply: "build",
    closeBundle() {
      // Hosting answers an unknown address with this page: the console, which says that it is unknown.
      copyFileSync(resolve(here, "dist/index.html"), resolve(here, "dist/404.html"));
      const folder = resolve(here, "dist/reference");
      mkdirSync(folder, { recursive: true });
      copyFileSync(
        resolve(here, "node_modules/@scalar/api-reference/dist/browser/standalone.js"),
        resolve(folder, "scalar.js"),
      );
      for (const font of ["geist", "geist-mono"]) {
        const file = `@fontsource-variable/${font}/files/${font}-latin-wght-normal.woff2`;
        copyFileSync(resolve(here, "node_modules", file), resolve(folder, `${font}.woff2`));
      }
      if (existsSync(openapi)) copyFileSync(openapi, resolve(folder, "openapi.json"));
      else writeFileSync(resolve(folder, "openapi.json"), "null");
    },
  };
}

export default defineConfig({
  plugins: [reference()],
  // The client is built from its source, with the console's copy of the Firebase SDK.
  resolve: {
    conditions: ["imagegen-source", ...defaultClientConditions],
    dedupe: ["firebase"],
  },
  // The tests run in Node.js, for which other conditions hold.
  ssr: {
    resolve: { conditions: ["imagegen-source", ...defaultServerConditions] },
    noExternal: ["imagegen-client"],
  },
  build: {
    target: "es2022",
    assetsInlineLimit: 0,
    reportCompressedSize: true,
    modulePreload: { polyfill: false },
    rolldownOptions: { checks: { pluginTimings: false } },
  },
  // For `npm run dev` beside `make run`: the Hosting emulator knows the others and serves the API.
  server: {
    proxy: {
      "^/api/.+": "http://127.0.0.1:5000",
      "/__": "http://127.0.0.1:5000",
      "/images": "http://127.0.0.1:5000",
    },
  },
  test: { include: ["test/**/*.test.ts"], environment: "node" },
} as Parameters<typeof defineConfig>[0]);
