import { describe, it } from "node:test";
import { call, hosting, put, signInAs } from "./harness.mjs";
import { accessible, confirm, failsToReload, page, setUpConsole, shown } from "./steps.mjs";

// Each test goes on where the one before has ended.
const run = Date.now();
const buyer = `desk-buyer-${run}`;
const heir = `desk-heir-${run}`;
const purchase = `desk-money-${run}`;
const product = `pack-money-${run}`;
const days = (count) => new Date(Date.now() + count * 86_400_000);

setUpConsole(async () => {
  const account = { credits: 0, ledgerSequence: 0, createdAt: days(-1) };
  await put(`users/${buyer}`, account);
  await put(`users/${heir}`, account);
  await put(`products/${product}`, {
    kind: "purchase",
    credits: 40,
    enabled: true,
    sortOrder: 95,
    revenueCatProduct: `com.example.${run}`,
    description: "Forty in the app",
  });
  await put(`purchases/${purchase}`, {
    userId: "",
    productId: "",
    provider: "revenuecat",
    status: "unmatched",
    reason: "no_user",
    credits: 0,
    amount: 990,
    currency: "eur",
    items: [{ field: "revenue_cat_product", name: `com.example.${run}`, quantity: 1 }],
    createdAt: days(0),
    paidAt: days(0),
    updatedAt: days(0),
  });
});

const openPurchase = () => signInAs(page, "admin", `/purchases/${purchase}`);
const openUser = async (userId) => {
  await page.goto(`${hosting}/users/${userId}`);
  await page.getByRole("heading", { name: "Who it is" }).waitFor();
};

describe("an operator", () => {
  it("books a payment for the user who has paid", async () => {
    await openPurchase();
    await page.getByRole("button", { name: "Book it" }).click();
    await page.getByLabel("For the user").fill(buyer);
    await page.getByText("go to this user for €9.90").waitFor();
    await failsToReload(`**/admin/purchases/${purchase}`, async () => {
      await confirm("Book", "Paid by a link.");
      await page.getByText(`The purchase is booked for ${buyer}.`).waitFor();
    });
    await shown(".facts .badge", "paid");
    await page.getByRole("button", { name: "Book it" }).waitFor({ state: "detached" });
    await openUser(buyer);
    await shown(".tile.strong", "40");
    await shown("table.ledger .badge", "Purchase");
  });

  it("moves what was bought to the user's other account", async () => {
    await signInAs(page, "admin", `/users/${buyer}`);
    await shown(".tile.strong", "40");
    await page.getByRole("button", { name: "Move purchases" }).click();
    await page.getByLabel("To the user").fill(heir);
    await page.getByText("40 credits that were bought go there").waitFor();
    await accessible("moving purchases");
    await confirm("Move", "Lost the first account.");
    await page.getByText(`40 credits moved to ${heir}.`).waitFor();
    await shown(".tile.strong", "0");
    await openUser(heir);
    await shown(".tile.strong", "40");
  });

  it("notes a refund that no store has told of", async () => {
    await call("createGenerationRequest", {
      userId: heir,
      model: "Model A",
      style: "anime",
      color: "neon",
      size: "1024x1024",
      prompt: "A piggy bank",
    });
    await openPurchase();
    await page.getByRole("link", { name: heir }).waitFor();
    await page.getByRole("button", { name: "Note a refund" }).click();
    await page
      .getByText(`37 credits are taken back from ${heir}, and 3 credits are owed`)
      .waitFor();
    await accessible("noting a refund");
    await confirm("Take back 40 credits", "It was another purchase.");
    await shown(".facts .badge", "refunded");
    await page.getByLabel("Messages").getByRole("button", { name: "Undo" }).click();
    await shown(".facts .badge", "paid again");
    await page.getByRole("button", { name: "Note a refund" }).click();
    await confirm("Take back 40 credits", "The App Store says so.");
    await shown(".facts .badge", "refunded");
    await page.getByText("3 credits", { exact: true }).waitFor();
    await page.getByRole("button", { name: "It was not refunded" }).click();
    await page.getByText(`37 credits go back to ${heir}, and 3 credits are owed no more`).waitFor();
    await accessible("taking a refund back");
    await page.getByRole("button", { name: "Cancel" }).click();
    await page.getByText("Owed", { exact: true }).waitFor();
  });

  it("waives a debt", async () => {
    await signInAs(page, "admin", `/users/${heir}`);
    await shown(".facts .badge", "owes 3 credits");
    await page.getByRole("button", { name: "Waive the debt" }).click();
    await page.getByRole("spinbutton", { name: "Credits" }).fill("2");
    await page.getByText("1 credit will still be owed").waitFor();
    await page.getByRole("spinbutton", { name: "Credits" }).fill("3");
    await page.getByText("Nothing will be owed").waitFor();
    await accessible("waiving a debt");
    await confirm("Waive 3 credits", "A mistake of the bank.");
    await page.getByText("3 credits of debt waived.").waitFor();
    await page.locator(".facts .badge", { hasText: "owes" }).waitFor({ state: "detached" });
    await page.getByRole("button", { name: "Waive the debt" }).waitFor({ state: "detached" });
  });

  it("takes a refund back that was noted by mistake", async () => {
    await openPurchase();
    await shown(".facts .badge", "refunded");
    await page.getByRole("button", { name: "It was not refunded" }).click();
    await confirm("Give back 37 credits", "It was another purchase.");
    await page.getByText("The purchase is paid again.").waitFor();
    await shown(".facts .badge", "paid again");
  });
});
