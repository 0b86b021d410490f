import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { hosting, signInAs } from "./harness.mjs";
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
});
