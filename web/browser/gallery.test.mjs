import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { hosting, put, signInAs } from "./harness.mjs";
import { accessible, hasBalance, PROMPT, page, setUpConsole, shown, stored } from "./steps.mjs";

setUpConsole();

const ONE = {
  userId: "testUser2",
  model: "Model A",
  style: "anime",
  color: "neon",
  size: "512x512",
  prompt: PROMPT,
};

describe("the gallery", () => {
  it("filters, pages, opens a request, runs it again and cancels one", async () => {
    const waiting = `waiting-${Date.now()}`;
    const created = new Date(Date.now() - 60_000);
    const several = Array.from({ length: 26 }, (_, count) => ({
      ...stored(ONE, new Date(created - count * 1000)),
      style: count === 3 ? "sketch" : "anime",
    }));
    await Promise.all(several.map((each, count) => put(`generationRequests/page-${count}`, each)));
    await put(`generationRequests/${waiting}`, {
      ...stored(ONE, new Date()),
      status: "pending",
      mode: "async",
      startedAt: null,
      completedAt: null,
      imageUrl: null,
    });
    await put(`users/testUser2/transactions/${waiting}-deduction`, {
      type: "deduction",
      credits: 1,
      generationRequestId: waiting,
      balanceAfter: 99,
      sequence: 1,
      timestamp: new Date(),
      reason: "generation",
    });
    await put("users/testUser2", { credits: 99, ledgerSequence: 1 });

    await signInAs(page, "testUser2", "/gallery");
    await page.waitForFunction(() => document.querySelectorAll("a.shot-card").length === 24);
    await page.getByRole("button", { name: "Show more" }).dblclick();
    await page.waitForFunction(() => document.querySelectorAll("a.shot-card").length >= 27);
    await page.getByRole("button", { name: "Show more" }).waitFor({ state: "detached" });
    const shots = await page
      .locator("a.shot-card")
      .evaluateAll((links) => links.map((link) => link.href));
    assert.equal(new Set(shots).size, shots.length, "a page was shown twice");
    await page.locator(".shot-card .picture.shown").first().waitFor();
    await accessible("gallery");
    await page.getByLabel("Filter by style").selectOption("sketch");
    await page.waitForFunction(() => document.querySelectorAll("a.shot-card").length === 1);
    assert.match(page.url(), /style=sketch/);
    await page.getByLabel("Filter by status").selectOption("failed");
    await page.getByText("Nothing matches").waitFor();
    await page.getByRole("button", { name: "Clear" }).click();
    await page.waitForFunction(() => document.querySelectorAll("a.shot-card").length === 24);

    await page.locator("a.shot-card").first().click();
    await page.getByRole("dialog").getByText("Waiting").first().waitFor();
    await accessible("detail");
    await page.getByRole("button", { name: "Cancel and refund" }).click();
    await page.getByRole("dialog").locator(".timeline").getByText("Refunded").waitFor();
    await hasBalance(100);
    await page.keyboard.press("Escape");
    await page.getByRole("dialog").waitFor({ state: "detached" });
    await shown("a.shot-card:first-child .badge, li:first-child .badge", "canceled");

    await page.goto(`${hosting}/gallery/page-3`);
    await page.getByRole("button", { name: "Run again" }).click();
    await page.waitForURL(/\/create$/);
    await page.waitForFunction(() => document.activeElement?.id === "main");
    assert.equal(await page.getByLabel("Prompt").inputValue(), PROMPT);
    assert.equal(await page.getByLabel("Style").inputValue(), "sketch");
  });

  it("reports an image, and deletes one with its prompt", async () => {
    const id = `reported-${Date.now()}`;
    const one = { ...ONE, prompt: "An unwanted picture" };
    await put(`generationRequests/${id}`, stored(one, new Date(Date.now() + 120_000)));
    await signInAs(page, "testUser2", `/gallery/${id}`);
    await page.getByRole("button", { name: "Report" }).click();
    await page.getByRole("radio", { name: "Violence" }).check();
    await page.getByLabel("What else helps").fill("There is blood in it.");
    await accessible("reporting an image");
    const report = page
      .getByRole("dialog")
      .getByRole("button", { name: "Report", exact: true })
      .last();
    await page.route("**/reportImage", (route) => route.abort());
    await report.click();
    await page.getByText("Trying again is safe").waitFor();
    // Only the same report can be sent again, as the first may have arrived.
    assert.ok(await page.getByLabel("What else helps").isDisabled());
    assert.ok(await report.evaluate((button) => button === document.activeElement));
    await page.unroute("**/reportImage");
    await report.click();
    await page.getByText("looks at the report").waitFor();
    await page.getByRole("button", { name: "Delete" }).click();
    await page.getByText("Its price of 1 credit is not given back.").waitFor();
    await accessible("deleting an image");
    await page.getByRole("button", { name: "Delete", exact: true }).last().click();
    await page.getByText("The prompt is deleted.").waitFor();
    await page.keyboard.press("Escape");
    await page.locator("a.shot-card", { hasText: "Prompt deleted" }).first().waitFor();
    assert.equal(await page.getByText("An unwanted picture").count(), 0);
  });

  it("shows what a request started from, which the form does not take again", async () => {
    const one = { ...ONE, source: { type: "address", address: "1 Infinite Loop" } };
    await put("generationRequests/with-source", stored(one, new Date()));
    await signInAs(page, "testUser2", "/gallery/with-source");
    await page.getByText("the address 1 Infinite Loop").waitFor();
    await page.getByText("It cannot be run again here").waitFor();
    assert.equal(await page.getByRole("button", { name: "Run again" }).count(), 0);
    await accessible("a request with a source");
  });

  it("shows a request of somebody else as missing", async () => {
    await put(
      "generationRequests/foreign",
      stored(
        {
          userId: "somebody",
          model: "Model A",
          style: "anime",
          color: "neon",
          size: "512x512",
          prompt: "secret",
        },
        new Date(),
      ),
    );
    await signInAs(page, "testUser1", "/gallery/foreign");
    await page.getByRole("dialog").getByRole("alert").waitFor();
    assert.equal(await page.getByText("secret").count(), 0);
  });
});
