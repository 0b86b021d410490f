import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { hosting, put, signInAs, signUp } from "./harness.mjs";
import { accessible, fitsItsWidth, page, setUpConsole } from "./steps.mjs";

setUpConsole();

async function signInAsNewUser(path) {
  const uid = `leaving-${Date.now()}`;
  await signUp(`${uid}@example.com`, "imagegen", uid);
  await put(`users/${uid}`, { credits: 12, ledgerSequence: 0, createdAt: new Date() });
  await page.goto(hosting + path);
  await page.getByLabel("E-mail").fill(`${uid}@example.com`);
  await page.getByLabel("Password").fill("imagegen");
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("navigation").waitFor();
  return uid;
}

describe("the account", () => {
  it("is exported as one file", async () => {
    const uid = await signInAsNewUser("/account");
    await page.getByRole("button", { name: "Export my data" }).click();
    const file = page.getByRole("link", { name: "Open the file" });
    await file.waitFor({ timeout: 60_000 });
    await accessible("the account, exported");
    const response = await fetch(await file.getAttribute("href"));
    assert.match(await response.text(), new RegExp(uid));
  });

  it("is deleted after the password was asked for, with what is lost in numbers", async () => {
    await signInAsNewUser("/account");
    let refused = false;
    await page.route("**/deleteAccount", (route) => {
      if (refused) return route.continue();
      refused = true;
      const details = { reason: "RECENT_SIGN_IN_REQUIRED" };
      const error = { status: "UNAUTHENTICATED", message: "Sign in again.", details };
      return route.fulfill({ status: 401, json: { error } });
    });
    await page.getByRole("button", { name: "Delete my account" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByText("12 credits are lost, 0 images are deleted").waitFor();
    await accessible("deleting the account");
    const agreed = dialog.getByRole("button", { name: "Delete my account" });
    assert.ok(await agreed.isDisabled());
    await dialog.getByLabel(/to confirm/).fill("delete");
    await agreed.click();
    await dialog.getByLabel("Your password").fill("imagegen");
    await agreed.click();
    await page.getByRole("heading", { name: "Your account is being deleted" }).waitFor();
    await accessible("an account that is being deleted");
    await dialog.getByRole("button", { name: "Sign out" }).click();
    await page.getByRole("heading", { name: "Sign in to imagegen" }).waitFor();
  });

  it("cannot be left while it is deleted, and names the subscriptions that only a store can end", async () => {
    await signInAsNewUser("/account");
    let answer = () => {};
    const waited = new Promise((resolve) => {
      answer = resolve;
    });
    await page.route("**/deleteAccount", async (route) => {
      await waited;
      const periodEnd = "2026-12-18T08:00:00.000000Z";
      const storeSubscriptions = [{ store: "APP_STORE", productId: "monthly-200", periodEnd }];
      return route.fulfill({ json: { result: { status: "closing", storeSubscriptions } } });
    });
    let load = () => {};
    const typed = new Promise((resolve) => {
      load = resolve;
    });
    await page.route("**/listGenerationRequests", (route) => typed.then(() => route.continue()));
    await page.getByRole("button", { name: "Delete my account" }).click();
    await page.getByLabel(/to confirm/).fill("delete");
    load(); // what is lost comes while the user is typing
    await page.getByText("12 credits are lost").waitFor();
    const isFocused = (input) => input === document.activeElement;
    assert.ok(await page.getByLabel(/to confirm/).evaluate(isFocused));
    await page.getByRole("dialog").getByRole("button", { name: "Delete my account" }).click();
    for (let press = 0; press < 3; press++) await page.keyboard.press("Escape");
    await page.mouse.click(5, 5); // beside the dialog
    assert.ok(await page.getByRole("button", { name: "Cancel" }).isDisabled());
    answer();
    await page.getByText("App Store: monthly-200, paid until 18 Dec 2026").waitFor();
  });

  it("fits a small window in the dark, and is reached from the palette", async () => {
    await page.setViewportSize({ width: 360, height: 740 });
    await page.emulateMedia({ colorScheme: "dark" });
    await signInAs(page, "testUser1");
    await page.keyboard.press("Control+k");
    await page.keyboard.type("account");
    await page.keyboard.press("Enter");
    await page.waitForURL(/\/account$/);
    await page.getByRole("heading", { name: "Delete your account" }).waitFor();
    await fitsItsWidth("the account");
    await accessible("the account, small and dark");
  });
});
