/** How the console is built. The API reference is a document of its own, beside the console. */
import { copyFileSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { defineConfig, type Plugin } from "vite";

const here = import.meta.dirname;
const openapi = resolve(here, "../openapi.json");

/** Scalar comes as one file made for browsers: it is copied, not bundled once more. */
function reference(): Plugin {
  return {
    name: "reference",
    apply: "build",
    closeBundle() {
      // An unknown address gets the console too, which says so; with the status that belongs to it.
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
  build: {
    target: "es2022",
    assetsInlineLimit: 0,
    reportCompressedSize: true,
    modulePreload: { polyfill: false },
    rolldownOptions: { checks: { pluginTimings: false } },
  },
  // `npm run dev` beside `make run`: the addresses of the emulators come from Hosting's emulator.
  server: { proxy: { "/__": "http://127.0.0.1:5000", "/images": "http://127.0.0.1:5000" } },
  test: { include: ["test/**/*.test.ts"], environment: "node", isolate: false },
} as Parameters<typeof defineConfig>[0]);
