import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { hosting, signInAs } from "./harness.mjs";
import { accessible, BALANCE, order, page, setUpConsole } from "./steps.mjs";

setUpConsole();

describe("credits", () => {
  it("lists entries with the balance each left, draws them and exports them", async () => {
    await signInAs(page, "testUser1");
    await order();
    await page.locator(".result .picture.shown img").waitFor();
    await page.getByRole("link", { name: "Credits", exact: true }).click();
    await page.locator("table.ledger tbody tr").first().waitFor();
    const row = await page.locator("table.ledger tbody tr").first().innerText();
    assert.match(row, /^\d{1,2} \w{3,4} \d{4}, \d{2}:\d{2}:\d{2}/);
    assert.match(row, /Charge/);
    assert.match(row, /−1\s+99/);
    await page.locator(".chart canvas").waitFor();
    await accessible("credits");
    const [download] = await Promise.all([
      page.waitForEvent("download"),
      page.getByRole("button", { name: "Export CSV" }).click(),
    ]);
    const chunks = [];
    for await (const chunk of await download.createReadStream()) chunks.push(chunk);
    const file = Buffer.concat(chunks).toString();
    assert.match(file, /^timestamp,type,credits,balanceAfter,generationRequestId,entryId\r\n/);
    assert.match(file, /deduction,-1,99,/);
  });

  it("say so when nothing answers, and are there after another try", async () => {
    await signInAs(page, "testUser1");
    await page.route("**/getUserCredits", (route) => route.abort());
    await page.goto(`${hosting}/credits`);
    // The page asks again by itself when the live balance arrives: let that be over first.
    await page.locator(BALANCE, { hasText: /\d/ }).waitFor();
    await page.waitForTimeout(500);
    await page.getByText("No answer").waitFor();
    await page.unroute("**/getUserCredits");
    await page.getByRole("button", { name: "Try again" }).click();
    await page.getByRole("heading", { name: "Ledger" }).waitFor();
  });
});
