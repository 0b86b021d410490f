import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { signInAs } from "./harness.mjs";
import { accessible, page, setUpConsole } from "./steps.mjs";

setUpConsole();

describe("the API", () => {
  it("is described from the OpenAPI document, to be tried on the emulators", async () => {
    await signInAs(page, "testUser1", "/api");
    const reference = page.frameLocator("iframe.reference");
    await reference.getByRole("heading", { name: "imagegen" }).waitFor();
    await accessible("API");
    await reference.getByText("Read a balance and its history").nth(1).click();
    await reference.getByRole("button", { name: "Test Request (post /getUserCredits)" }).click();
    const [answer] = await Promise.all([
      page.waitForResponse(
        (response) =>
          response.url().endsWith("/getUserCredits") && response.request().method() === "POST",
      ),
      reference.getByRole("button", { name: /^Send/ }).first().click(),
    ]);
    assert.equal(answer.status(), 200);
    assert.match(answer.request().headers().authorization, /^Bearer ey/);
  });
});
