import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { asUser, hosting, put, signInAs } from "./harness.mjs";
import { accessible, fitsItsWidth, page, setUpConsole, shown } from "./steps.mjs";

const paid = {
  userId: "testUser2",
  productId: "pack-desk",
  provider: "revenuecat",
  status: "paid",
  credits: 40,
  kind: "purchase",
  amount: 990,
  currency: "eur",
  clawedBackCredits: 0,
  owedCredits: 0,
  items: ["com.example.forty"],
  createdAt: new Date(Date.now() + 300_000),
  updatedAt: new Date(),
};

setUpConsole(async () => {
  await put("purchases/desk-paid", paid);
  await put("purchases/desk-unmatched", {
    ...paid,
    userId: "",
    productId: "",
    status: "unmatched",
    reason: "no user",
    credits: 0,
    createdAt: new Date(Date.now() + 301_000),
  });
});

describe("purchases of all users", () => {
  it("are filtered and opened", async () => {
    await signInAs(page, "admin");
    await page.getByRole("link", { name: "Purchases" }).click();
    await page.getByRole("row", { name: /pack-desk/ }).waitFor();
    await accessible("purchases");
    await page.getByRole("link", { name: "Unmatched payments" }).click();
    await page.waitForURL(/status=unmatched/);
    await page.getByRole("row", { name: /pack-desk/ }).waitFor({ state: "detached" });
    await page.locator("table.listing .row-link").first().click();
    await page.getByText("no user").waitFor();
    await page.getByRole("button", { name: "Book it" }).click();
    await accessible("booking a purchase");
    await page.getByLabel("For the user").fill("nobody-like-this");
    await page.getByLabel("Reason").fill("Paid by a link.");
    await page.getByRole("button", { name: "Book", exact: true }).click();
    await page.getByRole("dialog").getByRole("alert").waitFor();
  });

  it("have one view, with a refund that no store has told of", async () => {
    await signInAs(page, "admin", "/purchases/desk-paid");
    await shown(".facts .badge", "paid");
    await accessible("a purchase");
    await page.getByRole("button", { name: "Note a refund" }).click();
    await page.getByText("no money moves here").waitFor();
    await page.getByRole("button", { name: "Cancel" }).click();
    await page.goto(`${hosting}/purchases/nowhere`);
    await page.getByRole("alert").waitFor();
  });

  it("fit a small window in the dark", async () => {
    await page.setViewportSize({ width: 360, height: 740 });
    await page.emulateMedia({ colorScheme: "dark" });
    await signInAs(page, "admin", "/purchases");
    await page.getByRole("row").nth(1).waitFor();
    await fitsItsWidth("purchases");
    await accessible("purchases, small and dark");
    await page.goto(`${hosting}/purchases/desk-paid`);
    await shown(".facts .badge", "paid");
    await fitsItsWidth("a purchase");
  });

  it("are neither shown nor told to anybody else", async () => {
    await signInAs(page, "testUser1", "/purchases");
    await page.getByText("This screen is for administrators").waitFor();
    assert.equal(await asUser("GET", "/purchases"), 403);
    assert.equal(await asUser("POST", "/purchases/desk-paid/refund"), 403);
  });
});
