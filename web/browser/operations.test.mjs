import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { asUser, clear, hosting, put, remove, reportedWeeks, signInAs } from "./harness.mjs";
import { accessible, confirm, fitsItsWidth, page, setUpConsole } from "./steps.mjs";

setUpConsole();

describe("operations", () => {
  it("audit the books in the background and show what is wrong", async () => {
    const uid = `broken-${Date.now()}`;
    await put(`users/${uid}`, { credits: -3, ledgerSequence: 0, createdAt: new Date() });
    await signInAs(page, "admin");
    await page.getByRole("link", { name: "Operations" }).click();
    await page.getByRole("button", { name: "Audit now" }).click();
    await page
      .locator("table.listing .badge", { hasText: /finding/ })
      .first()
      .waitFor({
        timeout: 60_000,
      });
    await accessible("audits");
    await page.locator("table.listing .row-link").first().click();
    await page.waitForURL(/\/operations\/audits\/\w+$/);
    await page.getByRole("link", { name: uid }).first().waitFor();
    await accessible("an audit");
    await remove(`users/${uid}`); // the reports of other tests would tell of it
  });

  it("recover now, and make a report again", async () => {
    const [week] = await reportedWeeks();
    await signInAs(page, "admin", "/operations?tab=runs");
    await page.getByRole("button", { name: "Recover now" }).click();
    await accessible("recovering");
    await confirm("Recover", "A deployment was interrupted.");
    await page
      .getByLabel("Messages")
      .getByText(/nothing to recover|delivered now|ended|go(es)? on/)
      .waitFor();
    await page.getByRole("button", { name: "Make a report again" }).click();
    await page.getByRole("textbox", { name: "Week" }).fill(week);
    await confirm("Make it", "Requests were corrected.");
    await page.waitForURL(new RegExp(`/reports/${week}$`));
  });

  it("tell who has done what, and why", async () => {
    await signInAs(page, "admin", "/operations?tab=log");
    await page.getByText("A deployment was interrupted.").waitFor();
    await accessible("the log");
  });

  it("fit a small window in the dark", async () => {
    await page.setViewportSize({ width: 360, height: 740 });
    await page.emulateMedia({ colorScheme: "dark" });
    await signInAs(page, "admin", "/operations");
    await page.getByRole("row").nth(1).waitFor();
    await fitsItsWidth("operations");
    await accessible("operations, small and dark");
    await page.goto(`${hosting}/operations?tab=log`);
    await page.getByRole("row").nth(1).waitFor();
    await fitsItsWidth("the log");
  });

  it("leave the older audits in the list while one runs", async () => {
    const minutesAgo = (minutes) => new Date(Date.now() - 60_000 * minutes);
    const audit = { status: "done", by: "operator1" };
    for (let old = 1; old <= 22; old++) {
      const then = minutesAgo(600 + old);
      await put(`audits/old-${old}`, { ...audit, requestedAt: then, aliveAt: then, endedAt: then });
    }
    const now = new Date(Date.now() + 60_000); // before those of other tests
    await put("audits/now", { ...audit, status: "running", requestedAt: now, aliveAt: now });
    await signInAs(page, "admin", "/operations");
    await page.getByText("One is running").waitFor();
    await page.getByRole("button", { name: "Show more" }).click();
    await page.locator('a[href$="/old-22"]').waitFor();
    await put("audits/now", { status: "done", endedAt: now }, { only: true });
    await page.getByRole("button", { name: "Audit now" }).waitFor();
    assert.equal(await page.locator('a[href$="/old-22"]').count(), 1);
    await clear("audits");
  });

  it("are neither shown nor open to anybody else", async () => {
    await signInAs(page, "testUser1", "/operations");
    await page.getByText("This screen is for administrators").waitFor();
    assert.equal(await asUser("GET", "/audits"), 403);
    assert.equal(await asUser("POST", "/recovery"), 403);
    assert.equal(await asUser("GET", "/adminActions"), 403);
  });
});
