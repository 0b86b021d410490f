import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { gzipSync } from "node:zlib";

const dist = new URL("../dist/", import.meta.url);
/** What only administrators, readers of the API or protected deployments load. */
const NOT_FOR_EVERYBODY = /^(reports|api-reference|app-check|admin)/;

describe("the bundle", () => {
  it("is at most 250 KB for a user, gzipped, fonts apart", () => {
    const assets = readdirSync(new URL("assets/", dist))
      .filter((name) => /\.(js|css)$/.test(name) && !NOT_FOR_EVERYBODY.test(name))
      .map((name) => new URL(`assets/${name}`, dist));
    const sizes = [new URL("index.html", dist), ...assets].map(
      (file) => gzipSync(readFileSync(file)).length,
    );
    const kilobytes = sizes.reduce((sum, size) => sum + size, 0) / 1000;
    console.log(`  ${Math.round(kilobytes)} KB`);
    assert.ok(kilobytes <= 250, `${kilobytes} KB`);
  });
});
