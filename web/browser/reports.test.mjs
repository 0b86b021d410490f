import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { demoData, hosting, signInAs } from "./harness.mjs";
import { accessible, page, setUpConsole, shown } from "./steps.mjs";

setUpConsole();

describe("reports", () => {
  it("show an administrator the week: anomalies, charts, tables, other weeks, two printed pages", async () => {
    await demoData();
    await signInAs(page, "admin");
    await page.waitForURL(/\/reports$/);
    await page.getByRole("heading", { name: /\d things need a look this week\./ }).waitFor();
    assert.equal(await page.locator(".bars .bar").count(), 7);
    assert.equal(await page.locator(".bars .band").count(), 7);
    assert.ok((await page.locator(".anomaly").count()) >= 3);
    await page.getByText(/Driven by style “anime”/).waitFor();
    await page.getByText("Requests, Firestore’s own totals and the ledger agree.").waitFor();
    await accessible("reports");
    const paper = (await page.pdf({ preferCSSPageSize: true })).toString("latin1");
    assert.equal(paper.match(/\/Type \/Page\b/g)?.length, 2, "printed pages");
    await page.getByRole("radio", { name: "Credits" }).check();
    await shown(".legend", "credits charged");
    const weeks = await page
      .getByLabel("Week", { exact: true })
      .locator("option")
      .allTextContents();
    assert.ok(weeks.length >= 6);
    await page.getByLabel("Week", { exact: true }).selectOption(weeks.at(-1));
    await page.waitForURL(new RegExp(weeks.at(-1)));
    await page.getByText("Too little history to judge this week by.").waitFor();
    await page.goto(`${hosting}/reports/2019-W01`);
    await page.getByText("There is no report for 2019-W01").waitFor();
  });

  it("keep everybody else out", async () => {
    await signInAs(page, "testUser1", "/reports");
    await page.getByText("Reports are for administrators").waitFor();
    assert.equal(await page.getByRole("link", { name: "Reports" }).count(), 0);
  });
});
