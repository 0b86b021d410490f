import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { hosting, put, signInAs } from "./harness.mjs";
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
        calls.push(request.postDataJSON().data.idempotencyKey);
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

  it("orders one image while Ctrl+Enter is held down, and none while an order is on its way", async () => {
    await signInAs(page, "testUser1");
    const orders = countOrders();
    await slowDown(1500, { times: 2 });
    await page.getByLabel("Prompt").fill(PROMPT);
    await page.keyboard.down("Control");
    for (let press = 0; press < 5; press++) await page.keyboard.down("Enter"); // the last four repeat
    await page.keyboard.up("Enter");
    for (let press = 0; press < 3; press++) await page.keyboard.press("Enter");
    await page.keyboard.up("Control");
    await page.locator(".result .picture.shown img").waitFor();
    assert.equal(orders.length, 1);
    await hasBalance(99);
    await page.getByRole("button", { name: "Create image" }).focus();
    await page.keyboard.down("Enter");
    await page.locator(".result .picture.shown img").waitFor({ state: "detached" });
    await page.locator(".result .picture.shown img").waitFor();
    for (let press = 0; press < 3; press++) await page.keyboard.down("Enter");
    await page.keyboard.up("Enter");
    await page.waitForTimeout(300);
    assert.equal(orders.length, 2);
  });

  it("keeps an order on its way through another screen and a reload, and charges it once", async () => {
    await signInAs(page, "testUser1");
    const orders = countOrders();
    await slowDown(4000, { times: 1 });
    await order();
    await page.getByRole("link", { name: "Gallery" }).click();
    await page.getByRole("link", { name: "Create", exact: true }).click();
    await page.locator(".result .working").waitFor();
    const stopwatch = page.locator(".result .working [aria-hidden]", { hasText: / s$/ });
    assert.equal(await stopwatch.count(), 1, "the stopwatch is read out all the time");
    assert.ok(await page.getByRole("button", { name: "Create image" }).isDisabled());
    await hasBalance(99);
    await page.reload();
    await page.locator(".result .picture.shown img").waitFor();
    assert.equal(orders.length, 2);
    assert.equal(orders[0], orders[1]);
    await hasBalance(99);
  });

  it("sends the same order again with the same key when no answer came", async () => {
    await signInAs(page, "testUser1");
    const orders = countOrders();
    await page.route("**/createGenerationRequest", async (route) => {
      await route.fetch(); // charged, but the page never learns of it
      await route.abort();
    });
    await order();
    await page.getByText("No answer").waitFor();
    await page.unroute("**/createGenerationRequest");
    await page.getByRole("button", { name: "Create image" }).click();
    await page.locator(".result .picture.shown img").waitFor();
    assert.equal(orders.length, 2);
    assert.equal(orders[0], orders[1]);
    await hasBalance(99);
  });

  it("calls the functions on its own origin", async () => {
    await signInAs(page, "testUser1");
    const [request] = await Promise.all([
      page.waitForRequest("**/createGenerationRequest"),
      order(),
    ]);
    assert.equal(request.url(), `${hosting}/api/createGenerationRequest`);
    await page.locator(".result .picture.shown img").waitFor();
  });

  it("shows a user's draft and order to nobody else", async () => {
    await signInAs(page, "testUser1");
    await order();
    await page.locator(".result .picture.shown img").waitFor();
    await page.reload();
    await page.locator(".result .picture.shown img").waitFor();
    assert.equal(await page.getByLabel("Prompt").inputValue(), PROMPT);
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByRole("heading", { name: "Sign in to imagegen" }).waitFor();
    assert.equal(await page.evaluate(() => JSON.stringify(sessionStorage)), "{}");
    await page.getByRole("button", { name: /testUser2/ }).click();
    await page.getByText("Nothing here yet").waitFor();
    assert.equal(await page.getByLabel("Prompt").inputValue(), "");
  });

  it("shows long code within its card", async () => {
    await signInAs(page, "testUser1");
    await page.getByLabel("Prompt").fill("w".repeat(300));
    for (const language of ["cURL", "Python", "JavaScript", "Dart"]) {
      await page.getByRole("tab", { name: language }).click();
      await shown("pre", "wwww");
      const hidden = await page.locator("pre").evaluate((pre) => pre.scrollWidth - pre.clientWidth);
      assert.equal(hidden, 0, language);
    }
  });
});

/** The idempotency keys of the orders that this page sends from now on. */
function countOrders() {
  const keys = [];
  page.on("request", (request) => {
    if (request.url().endsWith("/createGenerationRequest"))
      keys.push(request.postDataJSON().data.idempotencyKey);
  });
  return keys;
}

/** Lets the page wait for the answers to its next orders. */
const slowDown = (milliseconds, { times }) =>
  page.route(
    "**/createGenerationRequest",
    async (route) => {
      const response = await route.fetch();
      await new Promise((resolve) => setTimeout(resolve, milliseconds));
      await route.fulfill({ response }).catch(() => {}); // the page may have been reloaded
    },
    { times },
  );
