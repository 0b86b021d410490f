import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { deleteAccount, hosting, signInAs, signUp } from "./harness.mjs";
import { accessible, hasBalance, page, setUpConsole } from "./steps.mjs";

setUpConsole();

describe("signing in", () => {
  it("takes e-mail and password, and refuses the wrong one", async () => {
    await page.goto(hosting);
    await page.getByLabel("E-mail").fill("testUser1@example.com");
    await page.getByLabel("Password").fill("wrong");
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByText("E-mail or password is wrong.").waitFor();
    await accessible("sign in");
    await page.getByLabel("Password").fill("imagegen");
    await page.getByRole("button", { name: "Sign in" }).click();
    await hasBalance(100);
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByRole("heading", { name: "Sign in to imagegen" }).waitFor();
  });

  it("shows the signed-in page within a second", async () => {
    await signInAs(page, "testUser1");
    await hasBalance(100);
    await page.goto(`${hosting}/gallery`);
    await hasBalance(100);
    const complete = await page.evaluate(() => performance.now());
    const paint = await page.evaluate(
      () => performance.getEntriesByName("first-contentful-paint")[0]?.startTime,
    );
    console.log(
      `  first contentful paint after ${Math.round(paint)} ms, live balance after ${Math.round(complete)} ms`,
    );
    assert.ok(paint < 1000, `${paint} ms`);
  });

  it("ends with a sentence when the account is deleted while the page is open", async () => {
    const uid = `deleted-${Date.now()}`;
    await page.goto(`${hosting}/gallery`);
    await signUp(`${uid}@example.com`, "imagegen", uid);
    await page.getByLabel("E-mail").fill(`${uid}@example.com`);
    await page.getByLabel("Password").fill("imagegen");
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByText("No images yet").waitFor();
    await deleteAccount(uid);
    await page.clock.setSystemTime(Date.now() + 2 * 3_600_000); // the token has expired
    await page.getByRole("link", { name: "Credits", exact: true }).click();
    await page.getByRole("heading", { name: "Sign in to imagegen" }).waitFor();
    await page.getByText("Your session has ended").waitFor();
    await accessible("sign in, with a notice");
    await page.getByRole("button", { name: /testUser1/ }).click();
    await page.waitForURL(/\/create$/);
  });
});
