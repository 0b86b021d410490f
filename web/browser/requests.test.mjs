import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { asUser, call, hosting, put, signInAs } from "./harness.mjs";
import {
  accessible,
  confirm,
  ended,
  failsToReload,
  fitsItsWidth,
  page,
  setUpConsole,
  shown,
  stored,
} from "./steps.mjs";

const newest = Date.now() + 240_000; // before those of other tests
const fields = {
  userId: "desk-owner",
  model: "Model A",
  style: "anime",
  color: "neon",
  size: "512x512",
};
const completed = {
  ...stored({ ...fields, prompt: "A windmill" }, new Date(newest)),
  credits: 2,
  source: { type: "address", address: "1 Main Street, Springfield" },
};
const failed = {
  ...stored({ ...fields, prompt: "A bridge" }, new Date(newest - 1000)),
  status: "failed",
  imageUrl: null,
  error: { reason: "GENERATION_FAILED", message: "The model made no image." },
};

setUpConsole(async () => {
  // An account of its own: other tests look at the images of testUser2.
  await put("users/desk-owner", { credits: 10, ledgerSequence: 0, createdAt: new Date() });
  await put("generationRequests/desk-completed", completed);
  await put("generationRequests/desk-failed", failed);
});

describe("requests of all users", () => {
  it("are filtered, found by id and opened", async () => {
    await signInAs(page, "admin");
    await page.getByRole("link", { name: "Requests" }).click();
    await page
      .getByRole("row", { name: /desk-owner/ })
      .first()
      .waitFor();
    await page.getByLabel("Filter by status").selectOption("failed");
    await page.waitForURL(/status=failed/);
    await page.waitForFunction(
      () => !document.querySelector("table.listing")?.textContent?.includes("completed"),
    );
    await accessible("requests");
    await page.getByRole("button", { name: "Clear" }).click();
    await page.getByRole("searchbox", { name: "Id of a request" }).fill("desk-completed");
    await page.waitForFunction(
      () =>
        [...document.querySelectorAll("a.row-link")].map(({ pathname }) => pathname).join() ===
        "/requests/desk-completed",
    );
    await page.locator("a.row-link").click();
    await page.waitForURL(/\/requests\/desk-completed$/);
    await page.getByText("A windmill").waitFor();
    await page.getByText("the place 1 Main Street, Springfield").waitFor();
    await page.goto(`${hosting}/requests/nowhere`);
    await page.getByRole("alert").waitFor();
  });

  it("start at the top, however far down the list they were", async () => {
    await signInAs(page, "admin", "/requests?from=no-date");
    await page.setViewportSize({ width: 1360, height: 250 }); // also a list of two is longer
    await page.locator("a.row-link").last().scrollIntoViewIfNeeded();
    await page.waitForFunction(() => scrollY > 0);
    await page.locator("a.row-link").last().click();
    await page.locator(".timeline").waitFor();
    assert.equal(await page.evaluate(() => scrollY), 0);
    assert.equal(await page.evaluate(() => document.activeElement.id), "main");
  });

  it("are made good for once", async () => {
    await signInAs(page, "admin", "/requests/desk-completed");
    await page.getByRole("button", { name: "Give 2 credits as goodwill" }).click();
    await page.getByText("desk-owner is granted 2 credits").waitFor();
    await accessible("goodwill");
    await failsToReload("**/admin/generationRequests/desk-completed", async () => {
      await confirm("Give 2 credits", "It shows no windmill.");
      await page.getByText("2 credits given.").waitFor();
    });
    await shown("table .badge", "Grant");
    await page.getByRole("button", { name: /goodwill/ }).waitFor({ state: "detached" });
    await accessible("a request");
  });

  it("run again for free if they have failed", async () => {
    await signInAs(page, "admin", "/requests/desk-failed");
    await page.getByRole("button", { name: "Run it again for free" }).click();
    await confirm("Run again", "The provider was out of order.");
    await page.waitForURL(/\/requests\/(?!desk-failed)\w+$/);
    await page.goto(`${hosting}/requests/desk-failed`);
    await page.getByText("Tried again as").waitFor();
  });

  it("are canceled while they wait", async () => {
    const order = { ...fields, userId: "testUser1", prompt: "Waits", mode: "async" };
    const { body } = await call("createGenerationRequest", order);
    const path = `generationRequests/${body.generationRequestId}`;
    await ended(body.generationRequestId);
    await put(path, { status: "pending", startedAt: null, completedAt: null }, { only: true });
    await signInAs(page, "admin", `/requests/${body.generationRequestId}`);
    await page.getByRole("button", { name: "Cancel and refund" }).click();
    await confirm("Cancel and refund 1 credit", "Ordered by mistake.");
    await shown(".timeline", "Canceled");
  });

  it("fit a small window in the dark", async () => {
    await page.setViewportSize({ width: 360, height: 740 });
    await page.emulateMedia({ colorScheme: "dark" });
    await signInAs(page, "admin", "/requests");
    await page.getByRole("row").nth(1).waitFor();
    await fitsItsWidth("requests");
    await accessible("requests, small and dark");
    await page.goto(`${hosting}/requests/desk-failed`);
    await page.locator(".timeline").waitFor();
    await fitsItsWidth("a request");
    await accessible("a request, small and dark");
  });

  it("are neither shown nor told to anybody else", async () => {
    await signInAs(page, "testUser1", "/requests/desk-completed");
    await page.getByText("This screen is for administrators").waitFor();
    assert.equal(await asUser("GET", "/generationRequests"), 403);
    assert.equal(await asUser("POST", "/generationRequests/desk-completed/goodwill"), 403);
  });
});
