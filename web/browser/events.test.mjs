import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { describe, it } from "node:test";
import { asUser, hosting, signInAs } from "./harness.mjs";
import { accessible, confirm, failsToReload, fitsItsWidth, page, setUpConsole } from "./steps.mjs";

/** The server that is told of events, and what it was told. */
let server;
let address;
const told = [];

/** A delivery before its first attempt. */
const waiting = { status: "pending", attempts: 0, result: "" };

setUpConsole(async () => {
  server = createServer((request, response) => {
    told.push(request.headers["webhook-id"]);
    request.resume();
    response.writeHead(204).end();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  address = `http://127.0.0.1:${server.address().port}/hook`;
  return () => server.close();
});

const secretShown = () => page.locator(".secret code").innerText();

describe("events", () => {
  it("are sent to an endpoint whose secret is shown once", async () => {
    await signInAs(page, "admin");
    await page.getByRole("link", { name: "Events" }).click();
    await page.getByRole("tab", { name: "Endpoints" }).click();
    await page.waitForURL(/tab=endpoints/);
    await page.getByRole("button", { name: "Add an endpoint" }).click();
    await page.getByLabel("Address").fill(address);
    await page.getByRole("checkbox", { name: "report.stored" }).uncheck();
    await accessible("adding an endpoint");
    await page.getByLabel("Reason").fill("The shop wants to know.");
    await page.getByRole("button", { name: "Add", exact: true }).click();
    await page.locator(".secret").waitFor();
    assert.match(await secretShown(), /^whsec_/);
    await accessible("the secret");
    await page.getByRole("button", { name: "Done" }).click();
    await page.getByRole("link", { name: address }).waitFor();
    await accessible("the endpoints");
  });

  it("are tried, and delivered again", async () => {
    await signInAs(page, "admin", "/events?tab=endpoints");
    await page.getByRole("link", { name: address }).click();
    await page.getByRole("button", { name: "Send a test event" }).click();
    // It waits when it is shown, and the next time that it is asked about there is no answer.
    let asked = 0;
    await page.route(/\/admin\/events\/[^/?]+$/, async (route) => {
      asked += 1;
      if (asked === 2 || asked === 3) return route.abort();
      if (asked > 3) return route.continue();
      const response = await route.fetch();
      const event = await response.json();
      for (const delivery of event.deliveries) Object.assign(delivery, waiting);
      return route.fulfill({ response, json: event });
    });
    await confirm("Send", "Does it work?");
    await page.getByRole("heading", { name: "test", exact: true }).waitFor();
    await page.getByRole("alert").waitFor();
    await page.locator("table .badge", { hasText: "delivered" }).waitFor();
    await page.getByRole("alert").waitFor({ state: "detached" });
    await accessible("an event");
    await page.getByRole("button", { name: "Deliver again" }).click();
    await confirm("Deliver again", "The server lost it.");
    while (told.length < 2) await page.waitForTimeout(200);
    assert.equal(told[0], told[1], "the same event has the same id");
    await page.goto(`${hosting}/events`);
    await page.getByRole("link", { name: "test" }).first().waitFor();
    await accessible("events");
  });

  it("are switched off and on, and their secret replaced", async () => {
    await signInAs(page, "admin", "/events?tab=endpoints");
    await page.getByRole("link", { name: address }).click();
    await page.getByRole("button", { name: "Disable" }).click();
    await failsToReload("**/admin/webhookEndpoints", () => confirm("Disable", "It moves."));
    await page.locator(".facts .badge", { hasText: "disabled" }).waitFor();
    await page.getByRole("button", { name: "Undo" }).click();
    await page.locator(".facts .badge", { hasText: "enabled" }).waitFor();
    await page.getByRole("button", { name: "Rotate the secret" }).click();
    await page.getByLabel("Reason").fill("A yearly exercise.");
    await page.getByRole("button", { name: "Make a new secret" }).click();
    await page.locator(".secret").waitFor();
    assert.match(await secretShown(), /^whsec_/);
    await page.getByRole("button", { name: "Done" }).click();
    await page.getByRole("button", { name: "Delete" }).click();
    await accessible("deleting an endpoint");
    await confirm("Delete", "The shop is closed.");
    await page.waitForURL(/\/events\?tab=endpoints$/);
    await page.getByRole("link", { name: address }).waitFor({ state: "detached" });
  });

  it("fit a small window in the dark", async () => {
    await page.setViewportSize({ width: 360, height: 740 });
    await page.emulateMedia({ colorScheme: "dark" });
    await signInAs(page, "admin", "/events");
    await page.getByRole("row").nth(1).waitFor();
    await fitsItsWidth("events");
    await accessible("events, small and dark");
    await page.locator(".row-link").first().click();
    await page.getByRole("heading", { name: "Deliveries" }).waitFor();
    await fitsItsWidth("an event");
    await accessible("an event, small and dark");
  });

  it("are neither shown nor told to anybody else", async () => {
    await signInAs(page, "testUser1", "/events");
    await page.getByText("This screen is for administrators").waitFor();
    assert.equal(await asUser("GET", "/events"), 403);
    assert.equal(await asUser("POST", "/webhookEndpoints"), 403);
  });
});
