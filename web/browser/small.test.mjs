import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { demoData, hosting, signInAs } from "./harness.mjs";
import { accessible, page, setUpConsole } from "./steps.mjs";

setUpConsole();

describe("small and dark", () => {
  it("fits 360 pixels on every screen and passes axe in the dark", async () => {
    await demoData();
    await page.setViewportSize({ width: 360, height: 740 });
    await page.emulateMedia({ colorScheme: "dark", reducedMotion: "reduce" });
    await signInAs(page, "admin");
    for (const path of ["/create", "/gallery", "/credits", "/reports"]) {
      await page.goto(hosting + path);
      await page.locator("main h1").waitFor();
      await page.locator(".skeleton").first().waitFor({ state: "detached" });
      const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      assert.ok(overflow <= 0, `${path} is ${overflow} px too wide`);
      await accessible(`${path}, dark and small`);
    }
    await page.goto(`${hosting}/nowhere`);
    await page.getByText("There is no such page").waitFor();
  });
});
