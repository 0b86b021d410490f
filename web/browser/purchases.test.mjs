import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { hosting, put, signInAs, signUp, startPayments } from "./harness.mjs";
import { accessible, fitsItsWidth, hasBalance, page, setUpConsole, shown } from "./steps.mjs";

// functions/.env.demo-imagegen lets Stripe send browsers back to this origin alone.
const ALLOWED = "http://127.0.0.1:5000";

setUpConsole(startPayments);

/** The suite of the tests has a port of its own for Hosting: both ways lead there. */
async function returnHere() {
  await page.route("**/createCheckoutSession", (route) =>
    route.continue({ postData: route.request().postData().replaceAll(hosting, ALLOWED) }),
  );
  await page.route(`${ALLOWED}/**`, (route) => {
    if (hosting === ALLOWED) return route.continue();
    const { pathname, search } = new URL(route.request().url());
    return route.fulfill({ status: 302, headers: { Location: hosting + pathname + search } });
  });
}

async function goToCheckout() {
  await page.getByRole("link", { name: "Buy credits" }).click();
  await page.getByRole("button", { name: "Buy 100 credits" }).click();
  await page.getByRole("button", { name: "Pay", exact: true }).waitFor();
}

describe("buying credits", () => {
  it("ends with the credits in the balance, as a lot and as a purchase", async () => {
    await returnHere();
    await signInAs(page, "testUser1", "/credits");
    await goToCheckout();
    await page.getByRole("button", { name: "Pay", exact: true }).click();
    await page.waitForURL(/\/credits\?bought=pack-100/);
    await shown(".banner", "Thank you.");
    await hasBalance(200);
    await shown("table.purchases .badge", "paid");
    await shown("table.purchases td", "9.90");
    await shown("table.lots th", "Bought");
    await shown('[data-testid="next-expiry"]', "100 credits expire in 36");
    await shown("table.ledger .badge", "Purchase");
    await accessible("credits, with a purchase");
    await page.setViewportSize({ width: 390, height: 844 });
    await page.emulateMedia({ colorScheme: "dark" });
    await fitsItsWidth("credits, with a purchase");
    const hidden = await page
      .locator(".table-scroll")
      .evaluateAll((tables) => tables.map((table) => table.scrollWidth - table.clientWidth));
    assert.deepEqual(new Set(hidden), new Set([0]));
    await accessible("credits, with a purchase, small and dark");
  });

  it("gives nothing when the payment is declined", async () => {
    await returnHere();
    await signInAs(page, "testUser1", "/credits");
    await goToCheckout();
    await page.getByRole("button", { name: "Decline" }).click();
    await page.goto(`${hosting}/credits`);
    await shown("table.purchases .badge", "not paid");
    await hasBalance(100);
  });

  it("offers what is sold on the web, on a phone in the dark as well", async () => {
    await signInAs(page, "testUser1", "/credits/buy");
    await page.getByRole("button", { name: "Buy 100 credits" }).waitFor();
    await page.getByRole("button", { name: "Buy 200 credits a month" }).waitFor();
    assert.equal(await page.getByText("Five in the app").count(), 0);
    await accessible("buy credits");
    await page.setViewportSize({ width: 390, height: 844 });
    await page.emulateMedia({ colorScheme: "dark" });
    await fitsItsWidth("buy credits");
    await accessible("buy credits, small and dark");
  });

  it("is offered to a user without an account, whose order is sent all the same", async () => {
    const uid = `new-${Date.now()}`;
    await signUp(`${uid}@example.com`, "imagegen", uid);
    await page.goto(`${hosting}/create`);
    await page.getByLabel("E-mail").fill(`${uid}@example.com`);
    await page.getByLabel("Password").fill("imagegen");
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByText("You have no credits yet.").waitFor();
    await accessible("create, without an account");
    await page.getByLabel("Prompt").fill("A fox");
    await page.getByRole("button", { name: "Create image" }).click();
    await page.getByText("It is opened when credits are bought").waitFor();
    await page.locator(".order").getByRole("link", { name: "Buy credits" }).click();
    await page.getByRole("button", { name: "Buy 100 credits" }).waitFor();
    await page.getByRole("link", { name: "Your balance" }).click();
    await page.getByRole("heading", { name: "No credit account yet" }).waitFor();
    await accessible("credits, without an account");
  });

  it("says so when the payment service does not answer", async () => {
    await put("products/pack-100", { stripePrice: "price_unknown" }, { only: true });
    await signInAs(page, "testUser1", "/credits/buy");
    await page.getByRole("button", { name: "Buy 100 credits" }).click();
    await page.locator(".failure").waitFor();
  });
});
