/** Steps that browser tests share: open the console, order an image, wait for what they expect. */
import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach } from "node:test";
import { setTimeout } from "node:timers/promises";
import { AxeBuilder } from "@axe-core/playwright";
import { call, hosting, launch, openPage, prepareModels, put } from "./harness.mjs";

export const BALANCE = '[data-testid="balance"]';
export const PROMPT = "A lighthouse in a storm";

/** The page of the running test. */
export let page;

const CATALOGUE_TTL = 1_000; // milliseconds; functions/.env.demo-imagegen sets it

/**
 * A browser for the tests of this file, and a page for each. A test fails if its page logs an
 * error, calls another host or violates its Content-Security-Policy.
 *
 * `prepare` makes what these tests need; it may return a function that ends it. A `before` of the
 * file would not do: node:test runs those of one file at the same time.
 */
export function setUpConsole(prepare) {
  let browser;
  let end;
  let opened;
  before(async () => {
    end = await prepare?.();
    await prepareModels();
    [browser] = await Promise.all([launch(), setTimeout(CATALOGUE_TTL)]);
    await call("listModels", {}); // the first call waits for a process
  });
  after(async () => {
    await browser?.close();
    await end?.();
  });
  beforeEach(async () => {
    await put("users/testUser1", { credits: 100 }, { only: true });
    opened = await openPage(browser, { reducedMotion: "reduce" });
    page = opened.page;
    page.setDefaultTimeout(30_000); // a busy machine starts a function slowly
  });
  afterEach(async () => {
    for (const frame of page.frames()) {
      const violations = await frame.evaluate(() => globalThis.violations ?? []);
      assert.deepEqual(violations, [], "the Content-Security-Policy was violated");
    }
    assert.deepEqual(opened.problems, []);
    await opened.context.close();
  });
}

export const shown = async (locator, text) => {
  await page.locator(locator).filter({ hasText: text }).first().waitFor();
};

export const hasBalance = (credits) =>
  page.waitForFunction(
    ([selector, text]) => document.querySelector(selector)?.textContent === text,
    [BALANCE, String(credits)],
  );

/** Waits until transitions, which last a frame here, are over: half-faded text has no contrast. */
const settled = () =>
  page.evaluate(async () => {
    await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
    await Promise.all(document.getAnimations().map((each) => each.finished.catch(() => {})));
  });

export async function accessible(name) {
  await settled();
  const { violations } = await new AxeBuilder({ page }).analyze();
  const told = violations.map(
    (each) =>
      `${each.id}: ${each.nodes
        .map((node) => node.target.join(" "))
        .slice(0, 4)
        .join(" | ")}`,
  );
  assert.deepEqual(told, [], `axe on ${name}`);
}

/** Nothing is cut off, once the page has followed a change of its width. */
export async function fitsItsWidth(name) {
  const overflow = () =>
    page.evaluate(() => document.documentElement.scrollWidth - globalThis.innerWidth);
  for (let frame = 0; frame < 10 && (await overflow()) > 0; frame++) await settled();
  assert.ok((await overflow()) <= 0, `${name} is ${await overflow()} px too wide`);
}

export async function order({ model = "Model A", background = false, prompt = PROMPT } = {}) {
  await page.getByLabel("Prompt").fill(prompt);
  await page.getByRole("radio", { name: new RegExp(`^${model}`) }).check();
  if (background) await page.getByRole("radio", { name: "In the background" }).check();
  await page.getByRole("button", { name: "Create image" }).click();
}

/** Waits until a generation request has ended, as its document says. */
export async function ended(generationRequestId) {
  for (;;) {
    const { code, body } = await call("getGenerationStatus", { generationRequestId });
    assert.equal(code, 200);
    if (!["pending", "processing"].includes(body.status)) return;
    await page.waitForTimeout(100);
  }
}

/** A generation request as the backend stores it. */
export const stored = (one, createdAt) => ({
  ...one,
  credits: 1,
  status: "completed",
  mode: "sync",
  imageUrl: `${hosting}/images/model-a.png`,
  error: null,
  createdAt,
  startedAt: createdAt,
  completedAt: createdAt,
  updatedAt: createdAt,
  attempts: 1,
  attemptId: "x",
  fingerprint: null,
  expiresAt: new Date(Date.now() + 600_000),
});

/** Lets what `act` does succeed and the reload of `path` after it fail: the page says so. */
export async function failsToReload(path, act) {
  await page.route(path, (route) =>
    route.request().method() === "GET" ? route.abort() : route.continue(),
  );
  await act();
  const alert = page.getByRole("main").getByRole("alert");
  await alert.first().waitFor();
  await page.unroute(path);
  await alert.first().getByRole("button", { name: "Try again" }).click();
  await alert.first().waitFor({ state: "detached" });
}

/** Confirms a dialog that asks for a reason. */
export async function confirm(button, reason) {
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Reason").fill(reason);
  await dialog.getByRole("button", { name: button, exact: true }).click();
  await dialog.waitFor({ state: "detached" });
}
