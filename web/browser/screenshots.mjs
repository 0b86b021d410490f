/** Takes pictures of every screen, light, dark and on a phone, into web/screenshots/. */
import { mkdir } from "node:fs/promises";
import {
  call,
  hosting,
  launch,
  makeDemoData,
  openPage,
  prepareModels,
  put,
  signInAs,
  startPayments,
} from "./harness.mjs";

const folder = new URL("../screenshots/", import.meta.url).pathname;
await mkdir(folder, { recursive: true });
const readme = new URL("../../docs/images/", import.meta.url).pathname;
await mkdir(readme, { recursive: true });
const only = process.argv[2];

await prepareModels();
await put("models/Broken", { generator: "mock", failureRate: 1, enabled: false, sortOrder: 90 });
const days = (count) => new Date(Date.now() + count * 86_400_000);
const lot = (remaining, kind, priority, expiresAt) => ({
  remaining,
  kind,
  priority,
  grantedAt: days(-20),
  ...(expiresAt && { expiresAt }),
});
await put(
  "users/testUser1",
  {
    credits: 400,
    lots: {
      trial: lot(20, "trial", 20, days(6)),
      "bought-1": lot(80, "purchase", 50, days(345)),
      opening: lot(300, "opening", 90),
    },
  },
  { only: true },
);
const bought = {
  userId: "testUser1",
  provider: "stripe",
  currency: "eur",
  owed: 0,
  clawedBack: 0,
};
const PURCHASES = [
  { productId: "pack-100", credits: 100, amount: 990, status: "processing" },
  {
    productId: "pack-500",
    credits: 500,
    amount: 3990,
    status: "partially_refunded",
    clawedBack: 250,
  },
  { productId: "monthly-200", credits: 200, amount: 1490, status: "paid" },
];
for (const [index, purchase] of PURCHASES.entries())
  await put(`purchases/shown-${index}`, {
    ...bought,
    ...purchase,
    createdAt: days(-1 - index * 9),
  });
const stopPayments = await startPayments();
await put("webhookEndpoints/shown", {
  url: "http://127.0.0.1:9/hook", // nothing answers there
  types: ["generation.completed", "generation.failed"],
  secrets: [{ secret: "whsec_c2NyZWVuc2hvdHMgaGF2ZSBubyBzZWNyZXQ=", expiresAt: null }],
  createdAt: days(-30),
});
await makeDemoData(12);
const PROMPTS = [
  ["A lighthouse in a storm, seen from the sea", "oil painting", "vintage", "1024x1024", "Model A"],
  [
    "Night market under paper lanterns, rain on the stones",
    "cyberpunk",
    "neon",
    "1024x1792",
    "Model B",
  ],
  [
    "A heron at the edge of a still lake, first frost",
    "watercolor",
    "pastel",
    "512x512",
    "Model A",
  ],
  ["Portrait of a violin maker in her workshop", "realistic", "vibrant", "1024x1024", "Model B"],
  ["Old tram on a steep street, morning fog", "sketch", "monochrome", "512x512", "Model A"],
  ["Fox asleep in a field of tall grass", "anime", "vibrant", "512x512", "Model B"],
];
const made = [];
for (const [prompt, style, color, size, model] of [...PROMPTS, ...PROMPTS.slice(0, 3)]) {
  const order = { userId: "testUser1", prompt, style, color, size, model };
  made.push((await call("createGenerationRequest", order)).body.generationRequestId);
}
await call("reportImage", {
  generationRequestId: made[3],
  reason: "privacy",
  comment: "This is my aunt, and she does not want to be shown.",
});
await call("reportImage", { generationRequestId: made[1], reason: "copyright" });
await put("models/Model B", { failureRate: 1 }, { only: true });
await new Promise((resolve) => setTimeout(resolve, 1500)); // until the catalogue is read again
await call("createGenerationRequest", {
  userId: "testUser1",
  prompt: "A glass greenhouse at dusk",
  style: "realistic",
  color: "pastel",
  size: "512x512",
  model: "Model B",
});
await put("models/Model B", { failureRate: 0 }, { only: true });

const ADMIN_SCREENS = [
  ["users", "/users"],
  ["user", "/users/testUser1"],
  ["user-requests", "/users/testUser1?tab=requests"],
  ["user-unknown", "/users/nobody-like-this"],
  ["requests", "/requests"],
  ["requests-none", "/requests?status=canceled&model=Broken"],
  ["purchases", "/purchases"],
  ["purchase", "/purchases/shown-1"],
  ["catalogue", "/catalogue"],
  ["catalogue-products", "/catalogue?kind=products"],
  ["catalogue-model", "/catalogue/models/Model%20A"],
  ["events", "/events"],
  ["endpoints", "/events?tab=endpoints"],
  ["endpoint", "/events/endpoints/shown"],
  ["operations", "/operations"],
  ["reported-images", "/operations?tab=reported-images"],
  ["reported-image", `/operations/reported-images/${made[3]}`],
  ["runs", "/operations?tab=runs"],
  ["log", "/operations?tab=log"],
];
const browser = await launch();
const LOOKS = {
  light: { colorScheme: "light" },
  dark: { colorScheme: "dark" },
  phone: {
    colorScheme: "light",
    viewport: { width: 390, height: 844 },
    deviceScaleFactor: 2,
    isMobile: true,
    hasTouch: true,
  },
};
for (const [look, options] of Object.entries(LOOKS)) {
  const { page, context } = await openPage(browser, options);
  const shot = async (name, { full = true, shownInReadme = "" } = {}) => {
    if (only && !name.includes(only)) return;
    await page.evaluate(() => document.fonts.ready);
    if (full) await page.evaluate(() => scrollTo(0, 0)); // what is sticky stands at the top
    await page.waitForTimeout(500);
    await page.screenshot({ path: `${folder}${name}-${look}.png`, fullPage: full });
    if (look === shownInReadme) await page.screenshot({ path: `${readme}console-${name}.png` });
  };
  await page.goto(hosting);
  await page.getByText("continue as").waitFor();
  await shot("sign-in");
  await signInAs(page, "testUser1");
  await page.getByLabel("Prompt").fill(PROMPTS[0][0]);
  await page.getByLabel("Style").selectOption("oil painting");
  await page.getByLabel("Color").selectOption("vintage");
  if (!only || "create".includes(only)) {
    await shot("create-empty");
    await page.getByRole("button", { name: "Create image" }).click();
    await page.locator(".result .picture.shown").waitFor();
    await page.locator(".timeline").waitFor();
    await shot("create", { shownInReadme: "light" });
  }
  await page.goto(`${hosting}/gallery`);
  await page.locator(".shot-card .picture.shown").first().waitFor();
  await page.evaluate(() => {
    for (const image of document.images) image.loading = "eager";
  });
  await page.locator(".picture.loading").first().waitFor({ state: "detached" });
  await shot("gallery", { shownInReadme: "dark" });
  await page.locator("a.shot-card:has(.picture.shown)").nth(2).click();
  await page.locator("dialog .timeline").waitFor();
  await shot("detail", { full: false });
  await page.getByRole("link", { name: "Open the image large" }).click();
  await page.locator(".viewer img").waitFor();
  await shot("large", { full: false });
  await page.goto(`${hosting}/credits`);
  await page.locator("table.purchases").waitFor();
  await shot("credits");
  await page.goto(`${hosting}/account`);
  await page.getByRole("heading", { name: "Delete your account" }).waitFor();
  await shot("account");
  await page.goto(`${hosting}/credits/buy`);
  await page.locator(".product").first().waitFor();
  await shot("buy");
  await page.keyboard.press("Control+k");
  await page.locator(".palette").waitFor();
  await shot("palette", { full: false });
  await page.keyboard.press("Escape");
  await page.goto(`${hosting}/api`);
  if (!only || "api".includes(only))
    await page
      .frameLocator("iframe.reference")
      .getByRole("heading", { name: "imagegen" })
      .waitFor();
  await shot("api", { full: false });
  await page.getByRole("button", { name: "Sign out" }).click();
  await signInAs(page, "admin");
  await page.goto(`${hosting}/reports`);
  await page.locator(".bars svg").waitFor();
  await shot("reports", { shownInReadme: "light" });
  await page.getByLabel("Compare with").selectOption({ index: 2 });
  await page.locator(".comparison").waitFor();
  await shot("compare");
  await page.goto(`${hosting}/reports`);
  await page.locator(".bars svg").waitFor();
  if (look === "light" && (!only || "reports".includes(only)))
    await page.pdf({ path: `${folder}report.pdf`, preferCSSPageSize: true });
  for (const [name, path] of ADMIN_SCREENS) {
    await page.goto(hosting + path);
    await page.locator("main h1").waitFor();
    await page.locator(".skeleton").first().waitFor({ state: "detached" });
    await shot(name);
  }
  await page.goto(`${hosting}/requests`);
  await page.locator("table.listing .row-link").first().click();
  await page.locator(".timeline").waitFor();
  await shot("request");
  await page.goto(`${hosting}/users/testUser1`);
  await page.getByRole("button", { name: "Grant credits" }).click();
  await page.getByRole("spinbutton", { name: "Credits" }).fill("25");
  await page.getByLabel("Reason").fill("Waited too long.");
  await shot("grant", { full: false });
  await page.getByRole("button", { name: "Grant 25 credits" }).click(); // for the log
  await page.getByText("25 credits granted.").waitFor();
  await context.close();
}
await browser.close();
stopPayments();
console.log(`Screenshots are in ${folder}`);
