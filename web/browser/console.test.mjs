/** The console in a real browser, on the emulators, from signing in to the weekly report. */
import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, describe, it } from "node:test";
import { AxeBuilder } from "@axe-core/playwright";
import { call, hosting, launch, makeDemoData, openPage, prepareModels, put, signInAs } from "./harness.mjs";

const BALANCE = '[data-testid="balance"]';
const PROMPT = "A lighthouse in a storm";
let browser;
let opened;
let page;
let demoData;

before(async () => {
  demoData = makeDemoData(6); // goes on while the first tests run
  [browser] = await Promise.all([launch(), prepareModels()]);
  await call("listModels", {}); // the first call waits for a process
});
after(() => browser?.close());
beforeEach(async () => {
  await put("users/testUser1", { credits: 100 }, { only: true });
  opened = await openPage(browser);
  page = opened.page;
  page.setDefaultTimeout(15_000);
});
afterEach(async () => {
  for (const frame of page.frames()) {
    const violations = await frame.evaluate(() => globalThis.violations ?? []);
    assert.deepEqual(violations, [], "the Content-Security-Policy was violated");
  }
  assert.deepEqual(opened.problems, []);
  await opened.context.close();
});

const shown = async (locator, text) => {
  await page.locator(locator).filter({ hasText: text }).first().waitFor();
};
const hasBalance = (credits) => page.waitForFunction(([selector, text]) => document.querySelector(selector)?.textContent === text, [BALANCE, String(credits)]);

async function accessible(name) {
  await page.waitForTimeout(350); // transitions: half-faded text has no contrast
  const { violations } = await new AxeBuilder({ page }).analyze();
  const told = violations.map((each) => `${each.id}: ${each.nodes.map((node) => node.target.join(" ")).slice(0, 4).join(" | ")}`);
  assert.deepEqual(told, [], `axe on ${name}`);
}

async function order({ model = "Model A", background = false, prompt = PROMPT } = {}) {
  await page.getByLabel("Prompt").fill(prompt);
  await page.getByRole("radio", { name: new RegExp(`^${model}`) }).check();
  if (background) await page.getByRole("radio", { name: "In the background" }).check();
  await page.getByRole("button", { name: "Create image" }).click();
}

describe("signing in", () => {
  it("takes e-mail and password, and refuses the wrong one", async () => {
    await page.goto(hosting);
    await page.getByLabel("E-mail").fill("testUser1@example.com");
    await page.getByLabel("Password").fill("wrong");
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByText("E-mail or password is wrong.").waitFor();
    await accessible("sign in");
    await page.getByLabel("Password").fill("imagegen");
    await page.getByRole("button", { name: "Sign in" }).click();
    await hasBalance(100);
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByRole("heading", { name: "Sign in to imagegen" }).waitFor();
  });

  it("shows the signed-in page within a second", async () => {
    await signInAs(page, "testUser1");
    await hasBalance(100);
    await page.goto(`${hosting}/gallery`);
    await hasBalance(100);
    const complete = await page.evaluate(() => performance.now());
    const paint = await page.evaluate(() => performance.getEntriesByName("first-contentful-paint")[0]?.startTime);
    console.log(`  first contentful paint after ${Math.round(paint)} ms, live balance after ${Math.round(complete)} ms`);
    assert.ok(paint < 1000, `${paint} ms`);
  });
});

describe("creating", () => {
  it("charges the price that it showed, and shows the image and each step", async () => {
    await signInAs(page, "testUser1");
    await page.getByRole("radio", { name: /1024.×.1024/ }).check();
    await shown('[data-testid="price"]', "3 credits");
    await shown('[data-testid="balance-after"]', "97");
    await order();
    await page.locator(".result .picture.shown img").waitFor();
    await hasBalance(97);
    await shown(".timeline li", "Charged");
    await shown(".badge", "completed");
    await accessible("create");
  });

  it("shows the refund and the request when the model fails, and tries again safely", async () => {
    await signInAs(page, "testUser1");
    await order({ model: "Broken" });
    await page.getByText("The model made no image").waitFor();
    await shown(".badge", "+1 credit refunded");
    await shown(".timeline li", "Refunded");
    await hasBalance(100);
    await accessible("create, failed");
    const calls = [];
    page.on("request", (request) => {
      if (request.method() === "POST" && request.url().endsWith("/createGenerationRequest")) calls.push(request.headers()["idempotency-key"]);
    });
    await page.getByRole("button", { name: "Try again" }).click();
    await page.locator(".result .working").waitFor({ state: "detached" });
    await page.getByText("The model made no image").waitFor();
    assert.equal(calls.length, 1);
    assert.match(calls[0], /^[0-9a-f-]{36}$/);
  });

  it("follows a request in the background until its image is there", async () => {
    await signInAs(page, "testUser1");
    await order({ background: true });
    await page.locator(".result .picture.shown img").waitFor();
    await shown(".timeline li", "Image");
    await hasBalance(99);
  });

  it("does not offer what the balance does not cover", async () => {
    await put("users/testUser1", { credits: 2 }, { only: true });
    await signInAs(page, "testUser1");
    await page.getByLabel("Prompt").fill(PROMPT);
    await page.getByRole("radio", { name: /1024.×.1792/ }).check();
    await shown('[data-testid="balance-after"]', "2 credits short");
    assert.ok(await page.getByRole("button", { name: "Create image" }).isDisabled());
  });

  it("gives the request on screen as code, by keyboard alone", async () => {
    await signInAs(page, "testUser1");
    await page.getByLabel("Prompt").fill("It's a “$5” fox");
    await page.getByRole("tab", { name: "cURL" }).focus();
    await page.keyboard.press("End");
    await shown("pre", "\\$5");
    await page.keyboard.press("ArrowLeft");
    await shown("pre", "httpsCallable");
    await page.keyboard.press("Home");
    await page.getByRole("button", { name: "Copy" }).first().click();
    const copied = await page.evaluate(() => navigator.clipboard.readText());
    assert.ok(copied.startsWith("curl -X POST http") && copied.includes("It'\\''s a"), copied);
  });
});

describe("the gallery", () => {
  it("filters, pages, opens a request, runs it again and cancels one", async () => {
    const waiting = `waiting-${Date.now()}`;
    const one = { userId: "testUser2", model: "Model A", style: "anime", color: "neon", size: "512x512", prompt: PROMPT };
    const created = new Date(Date.now() - 60_000);
    const several = Array.from({ length: 26 }, (_, count) => ({ ...stored(one, new Date(created - count * 1000)), style: count === 3 ? "sketch" : "anime" }));
    await Promise.all(several.map((each, count) => put(`generationRequests/page-${count}`, each)));
    await put(`generationRequests/${waiting}`, { ...stored(one, new Date()), status: "pending", mode: "async", startedAt: null, completedAt: null, imageUrl: null });
    await put(`users/testUser2/transactions/${waiting}-deduction`, { type: "deduction", credits: 1, generationRequestId: waiting, balanceAfter: 99, sequence: 1, timestamp: new Date(), reason: "generation" });
    await put("users/testUser2", { credits: 99, ledgerSequence: 1 });

    await signInAs(page, "testUser2", "/gallery");
    await page.waitForFunction(() => document.querySelectorAll("a.shot-card").length === 24);
    await page.getByRole("button", { name: "Show more" }).click();
    await page.waitForFunction(() => document.querySelectorAll("a.shot-card").length >= 27);
    await page.getByRole("button", { name: "Show more" }).waitFor({ state: "detached" });
    await page.locator(".shot-card .picture.shown").first().waitFor();
    await accessible("gallery");
    await page.getByLabel("Filter by style").selectOption("sketch");
    await page.waitForFunction(() => document.querySelectorAll("a.shot-card").length === 1);
    assert.match(page.url(), /style=sketch/);
    await page.getByLabel("Filter by status").selectOption("failed");
    await page.getByText("Nothing matches").waitFor();
    await page.getByRole("button", { name: "Clear" }).click();
    await page.waitForFunction(() => document.querySelectorAll("a.shot-card").length === 24);

    await page.locator("a.shot-card").first().click();
    await page.getByRole("dialog").getByText("Waiting").first().waitFor();
    await accessible("detail");
    await page.getByRole("button", { name: "Cancel and refund" }).click();
    await page.getByRole("dialog").locator(".timeline").getByText("Refunded").waitFor();
    await hasBalance(100);
    await page.keyboard.press("Escape");
    await page.getByRole("dialog").waitFor({ state: "detached" });
    await shown("a.shot-card:first-child .badge, li:first-child .badge", "canceled");

    await page.goto(`${hosting}/gallery/page-3`);
    await page.getByRole("button", { name: "Run again" }).click();
    await page.waitForURL(/\/create$/);
    assert.equal(await page.getByLabel("Prompt").inputValue(), PROMPT);
    assert.equal(await page.getByLabel("Style").inputValue(), "sketch");
  });

  it("shows a request of somebody else as missing", async () => {
    await put("generationRequests/foreign", stored({ userId: "somebody", model: "Model A", style: "anime", color: "neon", size: "512x512", prompt: "secret" }, new Date()));
    await signInAs(page, "testUser1", "/gallery/foreign");
    await page.getByRole("dialog").getByRole("alert").waitFor();
    assert.equal(await page.getByText("secret").count(), 0);
  });
});

describe("credits", () => {
  it("lists entries with the balance each left, draws them and exports them", async () => {
    await signInAs(page, "testUser1");
    await order();
    await page.locator(".result .picture.shown img").waitFor();
    await page.getByRole("link", { name: "Credits", exact: true }).click();
    await page.locator("table.ledger tbody tr").first().waitFor();
    const row = await page.locator("table.ledger tbody tr").first().innerText();
    assert.match(row, /Charge/);
    assert.match(row, /−1\s+99/);
    await page.locator(".chart canvas").waitFor();
    await accessible("credits");
    const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: "Export CSV" }).click()]);
    const chunks = [];
    for await (const chunk of await download.createReadStream()) chunks.push(chunk);
    const file = Buffer.concat(chunks).toString();
    assert.match(file, /^timestamp,type,credits,balanceAfter,generationRequestId,entryId\r\n/);
    assert.match(file, /deduction,-1,99,/);
  });

  it("say so when nothing answers, and are there after another try", async () => {
    await signInAs(page, "testUser1");
    await page.route("**/getUserCredits", (route) => route.abort());
    await page.goto(`${hosting}/credits`);
    // The page asks again by itself when the live balance arrives: let that be over first.
    await page.locator(BALANCE, { hasText: /\d/ }).waitFor();
    await page.waitForTimeout(500);
    await page.getByText("No answer").waitFor();
    await page.unroute("**/getUserCredits");
    await page.getByRole("button", { name: "Try again" }).click();
    await page.getByRole("heading", { name: "Ledger" }).waitFor();
  });
});

describe("reports", () => {
  it("show an administrator the week: anomalies, charts, tables, other weeks, two printed pages", async () => {
    await demoData;
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
    const weeks = await page.getByLabel("Week", { exact: true }).locator("option").allTextContents();
    assert.ok(weeks.length >= 6);
    await page.getByLabel("Week", { exact: true }).selectOption(weeks.at(-1));
    await page.waitForURL(new RegExp(weeks.at(-1)));
    await page.getByText("Too little history to judge this week by.").waitFor();
    await page.goto(`${hosting}/reports/2019-W01`);
    await page.getByText("There is no report for 2019-W01").waitFor();
  });

  it("keep everybody else out", async () => {
    await signInAs(page, "testUser1", "/reports");
    await page.getByText("Reports are for administrators").waitFor();
    assert.equal(await page.getByRole("link", { name: "Reports" }).count(), 0);
  });
});

describe("the API", () => {
  it("is described from the OpenAPI document, to be tried on the emulators", async () => {
    await signInAs(page, "testUser1", "/api");
    const reference = page.frameLocator("iframe.reference");
    await reference.getByRole("heading", { name: "imagegen" }).waitFor();
    await accessible("API");
    await reference.getByText("Read a balance and its history").nth(1).click();
    await reference.getByRole("button", { name: "Test Request (post /getUserCredits)" }).click();
    const [answer] = await Promise.all([
      page.waitForResponse((response) => response.url().endsWith("/getUserCredits") && response.request().method() === "POST"),
      reference.getByRole("button", { name: /^Send/ }).first().click(),
    ]);
    assert.equal(answer.status(), 200);
    assert.match(answer.request().headers().authorization, /^Bearer ey/);
  });
});

describe("small and dark", () => {
  it("fits 360 pixels on every screen and passes axe in the dark", async () => {
    await page.setViewportSize({ width: 360, height: 740 });
    await page.emulateMedia({ colorScheme: "dark", reducedMotion: "reduce" });
    await signInAs(page, "admin");
    for (const path of ["/create", "/gallery", "/credits", "/reports"]) {
      await page.goto(hosting + path);
      await page.locator("main h1").waitFor();
      await page.locator(".skeleton").first().waitFor({ state: "detached" });
      const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      assert.ok(overflow <= 0, `${path} is ${overflow} px too wide`);
      await accessible(`${path}, dark and small`);
    }
    await page.goto(`${hosting}/nowhere`);
    await page.getByText("There is no such page").waitFor();
  });
});

const stored = (one, createdAt) => ({ ...one, credits: 1, status: "completed", mode: "sync", imageUrl: `${hosting}/images/model-a.png`, error: null, createdAt, startedAt: createdAt, completedAt: createdAt, updatedAt: createdAt, attempts: 1, attemptId: "x", fingerprint: null, expiresAt: new Date(Date.now() + 600_000) });
