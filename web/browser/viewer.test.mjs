import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import { hosting, put, signInAs } from "./harness.mjs";
import { accessible, fitsItsWidth, order, page, setUpConsole, shown, stored } from "./steps.mjs";

setUpConsole();

const fields = {
  userId: "testUser2",
  model: "Model A",
  style: "anime",
  color: "neon",
  size: "512x512",
};

describe("an image opened large", () => {
  before(async () => {
    const newest = Date.now() + 3_600_000; // before those of other tests
    for (const [index, prompt] of ["first", "second", "third"].entries()) {
      const request = stored({ ...fields, prompt }, new Date(newest - index * 1000));
      await put(`generationRequests/large-${index}`, request);
    }
  });

  it("has its neighbors on the arrow keys, its prompt to copy and its file to keep", async () => {
    await signInAs(page, "testUser2", "/gallery");
    await page.locator("a.shot-card", { hasText: "first" }).click();
    await page.getByRole("link", { name: "Open the image large" }).click();
    await shown(".viewer-prompt", "first");
    await accessible("an image, large");
    await page.keyboard.press("ArrowLeft"); // there is none before the first
    await page.keyboard.press("ArrowRight");
    await shown(".viewer-prompt", "second");
    assert.match(page.url(), /\/gallery\/large-1\?view=image/);
    await page.getByRole("button", { name: "Next image" }).click();
    await shown(".viewer-prompt", "third");
    await page.getByRole("button", { name: "Copy prompt" }).click();
    await page.getByText("Copied").waitFor();
    assert.equal(await page.evaluate(() => navigator.clipboard.readText()), "third");
    const [file] = await Promise.all([
      page.waitForEvent("download"),
      page.getByRole("button", { name: "Download" }).click(),
    ]);
    assert.equal(file.suggestedFilename(), "image-large-2.png");
    await page.setViewportSize({ width: 390, height: 844 });
    await fitsItsWidth("an image, large");
    await page.keyboard.press("Escape");
    await page.getByRole("heading", { name: "Generation request" }).waitFor();
    assert.match(page.url(), /\/gallery\/large-2$/);
  });

  it("has an address, also where there is no such image", async () => {
    await signInAs(page, "testUser2", "/gallery/large-1?view=image");
    await shown(".viewer-prompt", "second");
    await page.goto(`${hosting}/gallery/nowhere?view=image`);
    await page.getByRole("dialog").getByRole("alert").waitFor();
  });

  it("opens from the result as well", async () => {
    await signInAs(page, "testUser1");
    await order();
    await page.getByRole("button", { name: "Open the image large" }).click();
    await page.locator(".viewer img").waitFor();
    await page.keyboard.press("Escape");
    await page.locator(".viewer").waitFor({ state: "detached" });
  });
});

describe("what is still running", () => {
  it("is listed where one creates, until it has ended", async () => {
    const waiting = { ...stored(fields, new Date()), userId: "testUser1", prompt: "Elsewhere" };
    const open = { status: "processing", mode: "async", completedAt: null, imageUrl: null };
    await put("generationRequests/running-0", { ...waiting, ...open });
    await signInAs(page, "testUser1");
    await shown(".running li", "Elsewhere");
    await accessible("create, with a running request");
    await put("generationRequests/running-0", { status: "completed" }, { only: true });
    await page.locator(".running").waitFor({ state: "detached" });
  });
});

describe("the palette", () => {
  it("opens screens by keyboard alone", async () => {
    await signInAs(page, "testUser1");
    await page.getByLabel("Prompt").waitFor();
    await page.keyboard.press("Control+k");
    await page.getByRole("combobox", { name: /Screen/ }).waitFor();
    await accessible("the palette");
    assert.equal(await page.getByRole("option", { name: "Reports" }).count(), 0);
    await page.keyboard.type("gal");
    await page.keyboard.press("Enter");
    await page.waitForURL(/\/gallery$/);
    await page.keyboard.press("Control+k");
    await page.getByRole("combobox", { name: /Screen/ }).waitFor();
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Enter");
    await page.waitForURL(/\/credits$/);
    await page.keyboard.press("Control+k");
    await page.getByRole("combobox", { name: /Screen/ }).waitFor();
    await page.keyboard.type("no such thing");
    await page.getByText("Nothing is called that.").waitFor();
    await page.keyboard.press("Escape");
    await page.getByRole("combobox", { name: /Screen/ }).waitFor({ state: "detached" });
  });
});
