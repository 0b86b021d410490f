import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import { asUser, call, clear, hosting, signInAs } from "./harness.mjs";
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

const QUEUE = "/operations?tab=reported-images";

/** Has an image made and reported; the answer is its id. */
async function reported(prompt, comment) {
  const order = {
    userId: "testUser1",
    model: "Model A",
    style: "anime",
    color: "neon",
    size: "1024x1024",
    prompt,
  };
  const { body } = await call("createGenerationRequest", order);
  const { generationRequestId } = body;
  const report = await call("reportImage", { generationRequestId, reason: "violence", comment });
  assert.equal(report.code, 200);
  return generationRequestId;
}

describe("reported images", () => {
  let harmless;
  let harmful;
  before(() => clear("imageReports")); // those of other tests

  it("are none at first", async () => {
    await signInAs(page, "admin", QUEUE);
    await page.getByText("No report is open").waitFor();
    await accessible("no reports");
  });

  it("wait in a queue, and are shown to whoever asks for it", async () => {
    harmless = await reported("A wooden sword on a wall", "Shows a weapon.");
    harmful = await reported("A duel at dawn", "Blood everywhere.");
    await signInAs(page, "admin", "/users");
    await page.getByRole("searchbox").waitFor();
    await page.keyboard.press("Control+k");
    await page.keyboard.type("reported im");
    await page.getByRole("option", { name: "Reported images" }).waitFor();
    await page.keyboard.press("Enter");
    await page.getByRole("row", { name: /Shows a weapon/ }).waitFor();
    const rows = await page.locator("table.listing tbody tr").allTextContents();
    assert.match(rows[0], /Shows a weapon/, "the one that waits longest comes first");
    assert.match(rows[1], /Blood everywhere/);
    await accessible("the queue of reported images");
    await page.locator("a.row-link").first().click();
    await page.waitForURL(new RegExp(`/operations/reported-images/${harmless}$`));
    await shown(".facts .badge", "open");
    assert.equal(await page.locator(".picture").count(), 0, "it is not shown unasked");
    await page.getByRole("button", { name: "Show the image" }).click();
    await page.locator(".picture.shown").waitFor();
    await accessible("a reported image");
  });

  it("are left alone by a dismissal, after which the next one follows", async () => {
    await signInAs(page, "admin", `/operations/reported-images/${harmless}`);
    await page.getByRole("button", { name: "Dismiss the report" }).click();
    await page.getByText("The report is closed, and testUser1 keeps the image.").waitFor();
    await accessible("dismissing a report");
    await failsToReload(`**/admin/imageReports/${harmless}`, async () => {
      await confirm("Dismiss", "It hangs on a wall.");
      await page.getByText("The report is dismissed.").waitFor();
    });
    await shown(".facts .badge", "dismissed");
    await page.getByRole("link", { name: "Next report" }).click();
    await page.waitForURL(new RegExp(`${harmful}$`));
    await page.getByText("A duel at dawn").waitFor();
  });

  it("are deleted with their prompt, and nothing is given back", async () => {
    await signInAs(page, "admin", `/operations/reported-images/${harmful}`);
    await page.getByRole("button", { name: "Delete the image" }).click();
    await page.getByText("The 3 credits that it cost are not given back.").waitFor();
    await accessible("deleting a reported image");
    await confirm("Delete the image", "It shows what the report says.");
    await shown(".facts .badge", "image deleted");
    await page.getByRole("heading", { name: "The image is deleted" }).waitFor();
    await page.getByText("A duel at dawn").waitFor({ state: "detached" });
    await page.getByRole("link", { name: "All reports" }).click();
    await page.getByText("No report is open").waitFor();
    await page.getByLabel("Filter by status").selectOption("Image deleted");
    await page.getByRole("row", { name: /Blood everywhere/ }).waitFor();
    await page.waitForURL(/status=image_deleted$/);
    await page.getByRole("tab", { name: "Log" }).click();
    await page.getByText("It shows what the report says.").waitFor();
    await page.goto(`${hosting}/operations/reported-images/nowhere`);
    await page.getByRole("alert").waitFor();
  });

  it("fit a small window in the dark", async () => {
    await page.setViewportSize({ width: 360, height: 740 });
    await page.emulateMedia({ colorScheme: "dark" });
    await signInAs(page, "admin", `${QUEUE}&status=dismissed`);
    await page.getByRole("row", { name: /Shows a weapon/ }).waitFor();
    await fitsItsWidth("reported images");
    await accessible("reported images, small and dark");
    await page.goto(`${hosting}/operations/reported-images/${harmless}`);
    await page.getByRole("button", { name: "Delete the image" }).waitFor();
    await fitsItsWidth("a reported image");
    await accessible("a reported image, small and dark");
  });

  it("are neither shown nor told to anybody else", async () => {
    await signInAs(page, "testUser1", `/operations/reported-images/${harmless}`);
    await page.getByText("This screen is for administrators").waitFor();
    assert.equal(await asUser("GET", "/imageReports"), 403);
    assert.equal(await asUser("GET", `/imageReports/${harmless}`), 403);
    assert.equal(await asUser("PUT", `/imageReports/${harmless}`), 403);
    assert.equal(await asUser("DELETE", `/imageReports/${harmless}/image`), 403);
  });
});
