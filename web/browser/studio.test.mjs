import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { signInAs, startStudio } from "./harness.mjs";
import { hasBalance, order, page, setUpConsole, shown } from "./steps.mjs";

const storage = `${process.env.STORAGE_EMULATOR_HOST ?? "http://127.0.0.1:9199"}/v0/b/`;
setUpConsole(startStudio); // each test ends with: no violation of the Content-Security-Policy

describe("images of a real provider", () => {
  it("differ by prompt and are shown from Cloud Storage, in the gallery as thumbnails", async () => {
    await signInAs(page, "testUser1");
    const urls = [];
    for (const prompt of ["A fox in deep snow", "A harbour at night"]) {
      await order({ model: "Local Studio", prompt });
      await page.locator(`.result .picture.shown img[alt="${prompt}"]`).waitFor();
      urls.push(await page.locator(".result .picture img").getAttribute("src"));
    }
    await hasBalance(98);
    const images = await Promise.all(urls.map(bytesOf));
    assert.ok(
      urls.every((url) => url.startsWith(storage)),
      urls.join(" "),
    );
    assert.ok(!images[0].equals(images[1]));

    await page.getByRole("link", { name: "Gallery", exact: true }).click();
    const cards = page.locator("a.shot-card:has(.picture.shown)").locator(`img[src^="${storage}"]`);
    await cards.nth(1).waitFor();
    const sources = await cards.evaluateAll((shots) => shots.map((shot) => shot.src));
    for (const url of urls) {
      const thumbnail = url.split("?")[0].replace(/\.png$/, "-512.webp");
      assert.ok(
        sources.some((source) => source.startsWith(thumbnail)),
        thumbnail,
      );
    }
    assert.deepEqual(
      await cards.evaluateAll((shots) => shots.map((shot) => shot.naturalWidth)),
      sources.map(() => 512),
    );
  });

  it("are refunded when the provider refuses the prompt", async () => {
    await signInAs(page, "testUser1");
    await order({ model: "Local Studio", prompt: "A lighthouse [fault:refusal]" });
    await shown(".badge", "+1 credit refunded");
    await hasBalance(100);
  });
});

const bytesOf = async (url) => Buffer.from(await (await fetch(url)).arrayBuffer());
