import { describe, it } from "node:test";
import { hosting, put, reportedWeeks, signInAs, signUp } from "./harness.mjs";
import { accessible, fitsItsWidth, page, setUpConsole, stored } from "./steps.mjs";

setUpConsole();

async function open(path) {
  await page.goto(hosting + path);
  await page.locator("main h1").waitFor();
  await page.locator(".skeleton").first().waitFor({ state: "detached" });
}

describe("small and dark", () => {
  it("fits 360 pixels on every screen and passes axe in the dark", async () => {
    await reportedWeeks();
    await page.setViewportSize({ width: 360, height: 740 });
    await page.emulateMedia({ colorScheme: "dark", reducedMotion: "reduce" });
    await signInAs(page, "admin");
    for (const path of [
      "/create",
      "/gallery",
      "/credits",
      "/credits/buy",
      "/account",
      "/reports",
    ]) {
      await open(path);
      await fitsItsWidth(path);
      await accessible(`${path}, dark and small`);
    }
    await page.goto(`${hosting}/nowhere`);
    await page.getByText("There is no such page").waitFor();
  });

  it("fits 360 and 1360 pixels with the longest names and numbers", async () => {
    const uid = "W".repeat(28); // as wide as a uid can be
    const long = "w".repeat(90);
    const fields = {
      userId: uid,
      model: long,
      style: long,
      color: long,
      size: "512x512",
      prompt: long,
    };
    const id = "f".repeat(60);
    await put(`users/${uid}`, { credits: 123_456_789, ledgerSequence: 1 });
    await put(`generationRequests/${id}`, stored(fields, new Date()));
    await put(`users/${uid}/transactions/${id}-deduction`, {
      type: "deduction",
      credits: 1,
      generationRequestId: id,
      balanceAfter: 123_456_789,
      sequence: 1,
      timestamp: new Date(),
      reason: "generation",
    });
    await signUp(`${uid}@example.com`, "imagegen", uid);
    await page.goto(hosting);
    await page.getByLabel("E-mail").fill(`${uid}@example.com`);
    await page.getByLabel("Password").fill("imagegen");
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByRole("navigation").waitFor();
    await fitEverywhere(["/create", "/gallery", `/gallery/${id}`, "/credits"]);
    await page.getByRole("button", { name: "Sign out" }).click();
    await signInAs(page, "admin");
    await fitEverywhere([`/gallery?user=${uid}`, `/credits?user=${uid}`]);
  });
});

async function fitEverywhere(paths) {
  for (const path of paths) {
    await open(path);
    for (const width of [360, 1360]) {
      await page.setViewportSize({ width, height: 800 });
      await fitsItsWidth(`${path} at ${width}`);
    }
  }
}
