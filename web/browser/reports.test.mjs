import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { copy, hosting, remove, reportedWeeks, signInAs } from "./harness.mjs";
import { accessible, fitsItsWidth, page, setUpConsole, shown } from "./steps.mjs";

setUpConsole();

describe("reports", () => {
  it("show an administrator the week: anomalies, charts, tables, other weeks, two printed pages", async () => {
    await reportedWeeks();
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

  it("compare two weeks, and have the numbers of their charts as tables", async () => {
    const [newest, before] = await reportedWeeks();
    await signInAs(page, "admin", `/reports/${newest}`);
    await page.getByLabel("Compare with").selectOption(before);
    await page.getByRole("heading", { name: `${newest} compared with ${before}` }).waitFor();
    assert.match(page.url(), new RegExp(`with=${before}`));
    await page.getByText("The days as a table").click();
    await page.getByText("These weeks as a table").click();
    assert.equal(await page.locator(".daily .data-table tbody tr").count(), 7);
    await accessible("reports, compared");
    await page.setViewportSize({ width: 390, height: 844 });
    await fitsItsWidth("reports, compared");
  });

  it("keep everybody else out", async () => {
    await signInAs(page, "testUser1", "/reports");
    await page.getByText("This screen is for administrators").waitFor();
    assert.equal(await page.getByRole("link", { name: "Reports" }).count(), 0);
  });

  it("show every table whole at 1360 pixels, and long names on a phone", async () => {
    const [newest] = await reportedWeeks();
    const uid = "W".repeat(28); // as wide as a uid can be
    await copy(`reports/${newest}`, "reports/2019-W02", {
      isoWeek: "2019-W02",
      topUsers: [{ userId: uid, requests: 5, credits: 9 }],
      byStyle: {
        ["W".repeat(60)]: {
          requests: 9,
          completed: 8,
          failed: 1,
          successRate: 0.89,
          creditsNet: 9,
        },
      },
    });
    try {
      await signInAs(page, "admin", `/reports/${newest}`);
      await page.locator(".breakdowns").waitFor();
      const clipped = await page
        .locator(".table-scroll")
        .evaluateAll((tables) => tables.map((table) => table.scrollWidth - table.clientWidth));
      assert.deepEqual(new Set(clipped), new Set([0]));
      await page.goto(`${hosting}/reports/2019-W02`);
      for (const width of [390, 360]) {
        await page.setViewportSize({ width, height: 844 });
        await page.getByRole("link", { name: uid }).waitFor();
        await fitsItsWidth("the report");
      }
    } finally {
      await remove("reports/2019-W02");
    }
  });

  it("say that there is no such week, whatever the address says", async () => {
    await reportedWeeks();
    await signInAs(page, "admin");
    await page.locator(".bars svg").waitFor();
    for (const name of ["x%2Fy", "..%2Fusers%2Fann", "__x__", "100%25"]) {
      await page.goto(`${hosting}/reports/${name}`);
      await page.getByText("There is no report for").waitFor();
      await page.goto(`${hosting}/gallery/${name}`);
      await page.getByRole("dialog").getByRole("alert").waitFor();
    }
  });
});
