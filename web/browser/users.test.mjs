import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { asUser, hosting, put, signInAs, signUp } from "./harness.mjs";
import {
  accessible,
  confirm,
  failsToReload,
  fitsItsWidth,
  page,
  setUpConsole,
  shown,
} from "./steps.mjs";

setUpConsole();

describe("users", () => {
  it("are found by the beginning of a uid or by e-mail, and opened", async () => {
    await signInAs(page, "admin");
    await page.getByRole("link", { name: "Users" }).click();
    const search = page.getByRole("searchbox", { name: /User id/ });
    await search.fill("testUser");
    await page.getByRole("row", { name: /testUser2/ }).waitFor();
    await page.waitForURL(/query=testUser$/);
    await accessible("users");
    await search.fill("testUser2@example.com");
    await page.getByRole("row", { name: /testUser1/ }).waitFor({ state: "detached" });
    await page.getByRole("link", { name: "testUser2@example.com" }).click();
    await page.getByRole("heading", { name: "testUser2@example.com" }).waitFor();
    assert.match(page.url(), /\/users\/testUser2$/);
    await search.waitFor({ state: "detached" });
    await page.goto(`${hosting}/users?query=nobody-like-this`);
    await page.getByText("Nobody is found").waitFor();
    await page.goto(`${hosting}/users/nobody-like-this`);
    await page.getByRole("alert").waitFor();
  });

  it("are granted credits once, with the reason in the ledger", async () => {
    await signInAs(page, "admin", "/users/testUser1");
    await shown(".tile.strong", "100");
    await page.getByRole("button", { name: "Grant credits" }).click();
    await page.getByRole("spinbutton", { name: "Credits" }).fill("5");
    await page.getByText("from 100 credits to 105 credits").waitFor();
    await accessible("granting credits");
    await failsToReload("**/admin/users/testUser1", async () => {
      await confirm("Grant 5 credits", "Waited too long.");
      await page.getByText("5 credits granted.").waitFor();
    });
    await shown(".tile.strong", "105");
    await shown("table.ledger .badge", "Grant");
    await accessible("a user");
  });

  it("may be granted credits before they have an account, and not while it is disabled", async () => {
    const uid = `known-${Date.now()}`;
    await signUp(`${uid}@example.com`, "imagegen", uid);
    await signInAs(page, "admin", `/users/${uid}`);
    await page.getByText("It is opened when the user first gets credits").waitFor();
    const grant = page.getByRole("button", { name: "Grant credits" });
    await grant.click();
    await page.getByRole("spinbutton", { name: "Credits" }).fill("5");
    await confirm("Grant 5 credits", "For the launch.");
    await shown(".tile.strong", "5");
    await put(`users/${uid}`, { status: "disabled" }, { only: true });
    await page.reload();
    await page.locator(".facts .badge", { hasText: "disabled" }).waitFor();
    assert.ok(await grant.isDisabled());
  });

  it("are repaired if their account is malformed", async () => {
    const uid = `malformed-${Date.now()}`;
    await put(`users/${uid}`, { credits: "97", ledgerSequence: 0, createdAt: new Date() });
    await signInAs(page, "admin", `/users/${uid}`);
    await page.getByText("This account is malformed (credits)").waitFor();
    await page.getByRole("button", { name: "Repair" }).click();
    await page.getByLabel("Balance to have").fill("7");
    await confirm("Repair", "Edited by hand.");
    await page.getByText("The account is usable again, with 7 credits.").waitFor();
    await page.getByText("This account is malformed").waitFor({ state: "detached" });
    await shown(".tile.strong", "7");
  });

  it("are disabled, enabled again by one click, exported and deleted", async () => {
    const uid = `unwanted-${Date.now()}`;
    await signUp(`${uid}@example.com`, "imagegen", uid);
    await put(`users/${uid}`, { credits: 9, ledgerSequence: 0, createdAt: new Date() });
    await signInAs(page, "admin", `/users/${uid}`);
    await page.getByRole("button", { name: "Disable" }).click();
    await page.getByText("9 credits stay in the account, and 0 open requests").waitFor();
    await confirm("Disable", "Looks stolen.");
    await page.locator(".facts .badge", { hasText: "disabled" }).waitFor();
    await page.getByRole("button", { name: "Undo" }).click();
    await page.locator(".facts .badge", { hasText: "active" }).waitFor();
    await page.getByRole("button", { name: "Export" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("Reason").fill("Asked for it by mail.");
    await dialog.getByRole("button", { name: "Export" }).click();
    await dialog.getByRole("link", { name: "Open the file" }).waitFor({ timeout: 60_000 });
    await page.keyboard.press("Escape");
    await page.getByRole("button", { name: "Delete" }).click();
    await page.getByText("9 credits are lost").waitFor();
    await accessible("deleting a user");
    await page.getByLabel(/to confirm/).fill(uid);
    await confirm("Delete the account", "Asked for it by mail.");
    await page.getByText("The account is being deleted.").waitFor();
  });

  it("are found in the palette", async () => {
    await signInAs(page, "admin", "/reports");
    await page.keyboard.press("Control+k");
    await page.keyboard.type("testUser2");
    await page.getByRole("option", { name: /testUser2/ }).waitFor();
    await accessible("the palette with a user");
    await page.keyboard.press("Enter");
    await page.waitForURL(/\/users\/testUser2$/);
  });

  it("fit a small window in the dark", async () => {
    await page.setViewportSize({ width: 360, height: 740 });
    await page.emulateMedia({ colorScheme: "dark" });
    await signInAs(page, "admin", "/users");
    await page.getByRole("row").nth(1).waitFor();
    await fitsItsWidth("users");
    await accessible("users, small and dark");
    await page.getByRole("button", { name: "More", exact: true }).click();
    await accessible("the menu of screens");
    await page.getByRole("dialog").getByRole("link", { name: "Reports" }).click();
    await page.getByRole("dialog").waitFor({ state: "detached" });
    await page.goto(`${hosting}/users/testUser1`);
    await shown(".tile.strong", /\d/);
    await fitsItsWidth("a user");
    await accessible("a user, small and dark");
  });

  it("are neither shown nor told to anybody else", async () => {
    await signInAs(page, "testUser1", "/users/testUser2");
    await page.getByText("This screen is for administrators").waitFor();
    assert.equal(await page.getByRole("link", { name: "Users" }).count(), 0);
    assert.equal(await asUser("GET", "/users"), 403);
    assert.equal(await asUser("POST", "/users/testUser1/grants"), 403);
  });
});
