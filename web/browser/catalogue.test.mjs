import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { asUser, hosting, put, remove, signInAs } from "./harness.mjs";
import { accessible, confirm, fitsItsWidth, page, setUpConsole } from "./steps.mjs";

const names = () => page.locator("table.listing .row-link").allInnerTexts();

setUpConsole(async () => {
  await put("styles/desk one", { enabled: true, sortOrder: 900, description: "The first." });
  await put("styles/desk two", { enabled: true, sortOrder: 910 });
});

describe("the catalogue", () => {
  it("is edited with the difference shown before, and undone after", async () => {
    await signInAs(page, "admin");
    await page.getByRole("link", { name: "Catalogue" }).click();
    await page.getByRole("row", { name: /Model A/ }).waitFor();
    await accessible("the catalogue");
    await page.getByRole("tab", { name: "Styles" }).click();
    await page.waitForURL(/kind=styles/);
    await page.getByRole("link", { name: "desk one" }).click();
    await page.waitForURL(/\/catalogue\/styles\/desk%20one$/);
    await page.getByLabel("Description").fill("Thick lines.");
    await page.getByLabel("On offer").uncheck();
    await page.getByRole("button", { name: "Look at the changes" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByText("Change 2 fields of desk one").waitFor();
    await dialog.getByRole("row", { name: /description The first. Thick lines./ }).waitFor();
    await dialog.getByRole("row", { name: /enabled yes no/ }).waitFor();
    await accessible("the difference");
    await confirm("Save", "Asked for by users.");
    await page.getByText("desk one is saved.").waitFor();
    await page.locator(".editor .badge", { hasText: "disabled" }).waitFor();
    await page.getByRole("button", { name: "Undo" }).click();
    await page.locator(".editor .badge", { hasText: "on offer" }).waitFor();
    assert.equal(await page.getByLabel("Description").inputValue(), "The first.");
    await accessible("the editor");
  });

  it("refuses what apps could not use, at the field", async () => {
    await signInAs(page, "admin", "/catalogue/sizes/512x512");
    await page.getByLabel("Price in credits").fill("0");
    await page.getByRole("button", { name: "Look at the changes" }).click();
    await page.locator(".field-problem", { hasText: /greater than 0/ }).waitFor();
    await page.getByLabel("Other fields").fill("{");
    await page.getByRole("button", { name: "Look at the changes" }).click();
    await page.getByRole("alert").waitFor();
    await page.goto(`${hosting}/catalogue/sizes/nothing`);
    await page.getByText("There is no such size").waitFor();
  });

  it("is put in another order by one key", async () => {
    await signInAs(page, "admin", "/catalogue?kind=styles");
    const later = page.getByRole("button", { name: "Move desk one down" });
    await later.focus();
    await page.keyboard.press("Enter");
    await page.getByText("The order is changed.").waitFor();
    const order = (await names()).filter((name) => name.startsWith("desk"));
    assert.deepEqual(order, ["desk two", "desk one"]);
    await page.reload();
    await page.getByRole("link", { name: "desk one" }).waitFor();
    assert.deepEqual(
      (await names()).filter((name) => name.startsWith("desk")),
      ["desk two", "desk one"],
    );
  });

  it("gets a new document, and loses it", async () => {
    await remove("colors/desk");
    await signInAs(page, "admin", "/catalogue?kind=colors");
    await page.getByRole("link", { name: "Add a color" }).click();
    await page.getByLabel("Name", { exact: true }).fill("desk");
    await page.getByRole("button", { name: "Look at the changes" }).click();
    await page.getByText("Add desk").waitFor();
    await confirm("Save", "For the season.");
    await page.waitForURL(/\/catalogue\/colors\/desk$/);
    await page.getByRole("button", { name: "Delete" }).click();
    await confirm("Delete", "The season is over.");
    await page.waitForURL(/\/catalogue\?kind=colors$/);
    assert.ok(!(await names()).includes("desk"));
  });

  it("fits a small window in the dark", async () => {
    await page.setViewportSize({ width: 360, height: 740 });
    await page.emulateMedia({ colorScheme: "dark" });
    await signInAs(page, "admin", "/catalogue");
    await page.getByRole("row").nth(1).waitFor();
    await fitsItsWidth("the catalogue");
    await accessible("the catalogue, small and dark");
    await page.goto(`${hosting}/catalogue/models/Model%20A`);
    await page.getByLabel("Settings of the provider").waitFor();
    await fitsItsWidth("the editor");
    await accessible("the editor, small and dark");
  });

  it("is neither shown whole nor changed by anybody else", async () => {
    await signInAs(page, "testUser1", "/catalogue");
    await page.getByText("This screen is for administrators").waitFor();
    assert.equal(await asUser("GET", "/catalogue"), 403);
    assert.equal(await asUser("PUT", "/styles/anime"), 403);
  });
});
