import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { put, signInAs } from "./harness.mjs";
import { accessible, hasBalance, order, PROMPT, page, setUpConsole, shown } from "./steps.mjs";

setUpConsole();

describe("creating", () => {
  it("charges the price that it showed, and shows the image and each step", async () => {
    await signInAs(page, "testUser1");
    await page.getByRole("radio", { name: /1024.×.1024/ }).check();
    await shown('[data-testid="price"]', "3 credits");
    await shown('[data-testid="balance-after"]', "97");
    await order();
    await page.locator(".result .picture.shown img").waitFor();
    await hasBalance(97);
    await shown(".timeline li", "Charged");
    await shown(".badge", "completed");
    await accessible("create");
  });

  it("shows the refund and the request when the model fails, and tries again safely", async () => {
    await signInAs(page, "testUser1");
    await order({ model: "Broken" });
    await page.getByText("The model made no image").waitFor();
    await shown(".badge", "+1 credit refunded");
    await shown(".timeline li", "Refunded");
    await hasBalance(100);
    await accessible("create, failed");
    const calls = [];
    page.on("request", (request) => {
      if (request.method() === "POST" && request.url().endsWith("/createGenerationRequest"))
        calls.push(request.headers()["idempotency-key"]);
    });
    await page.getByRole("button", { name: "Try again" }).click();
    await page.locator(".result .working").waitFor({ state: "detached" });
    await page.getByText("The model made no image").waitFor();
    assert.equal(calls.length, 1);
    assert.match(calls[0], /^[0-9a-f-]{36}$/);
  });

  it("follows a request in the background until its image is there", async () => {
    await signInAs(page, "testUser1");
    await order({ background: true });
    await page.locator(".result .picture.shown img").waitFor();
    await shown(".timeline li", "Image");
    await hasBalance(99);
  });

  it("does not offer what the balance does not cover", async () => {
    await put("users/testUser1", { credits: 2 }, { only: true });
    await signInAs(page, "testUser1");
    await page.getByLabel("Prompt").fill(PROMPT);
    await page.getByRole("radio", { name: /1024.×.1792/ }).check();
    await shown('[data-testid="balance-after"]', "2 credits short");
    assert.ok(await page.getByRole("button", { name: "Create image" }).isDisabled());
  });

  it("gives the request on screen as code, by keyboard alone", async () => {
    await signInAs(page, "testUser1");
    await page.getByLabel("Prompt").fill("It's a “$5” fox");
    await page.getByRole("tab", { name: "cURL" }).focus();
    await page.keyboard.press("End");
    await shown("pre", "\\$5");
    await page.keyboard.press("ArrowLeft");
    await shown("pre", "httpsCallable");
    await page.keyboard.press("Home");
    await page.getByRole("button", { name: "Copy" }).first().click();
    const copied = await page.evaluate(() => navigator.clipboard.readText());
    assert.ok(copied.startsWith("curl -X POST http") && copied.includes("It'\\''s a"), copied);
  });
});
