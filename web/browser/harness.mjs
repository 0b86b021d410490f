/** What browser tests and screenshots share: a browser, signed-in pages, accounts and documents. */
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { promisify } from "node:util";
import { chromium } from "playwright-core";

const BROWSERS = [
  process.env.CHROMIUM,
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
];
const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

export const hosting = process.env.HOSTING_URL ?? "http://127.0.0.1:5000";
export const functions =
  process.env.FUNCTIONS_BASE_URL ?? "http://127.0.0.1:5001/demo-imagegen/us-central1";
const project = process.env.GCLOUD_PROJECT ?? "demo-imagegen";
const firestore = `http://${process.env.FIRESTORE_EMULATOR_HOST ?? "127.0.0.1:8080"}`;

/** The path of an installed Chromium; undefined if there is none. */
export const browserPath = () => BROWSERS.find((path) => path && existsSync(path));

export function launch() {
  return chromium.launch({ executablePath: browserPath(), args: FLAGS });
}

/** A page that records what must not happen: errors, refused resources, calls to other hosts. */
export async function openPage(browser, options = {}) {
  const context = await browser.newContext({
    viewport: { width: 1360, height: 900 },
    locale: "en-GB",
    ...options,
  });
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  await context.addInitScript(() => {
    globalThis.violations = [];
    addEventListener("securitypolicyviolation", (event) =>
      globalThis.violations.push(`${event.violatedDirective} ${event.blockedURI}`),
    );
  });
  const page = await context.newPage();
  const problems = [];
  page.on("pageerror", (error) => problems.push(`error: ${error.message}`));
  page.on("console", (message) => {
    // Failed calls are part of what is tested; the browser reports each of them here too.
    if (message.type() === "error" && !/Failed to load resource/.test(message.text()))
      problems.push(message.text());
  });
  page.on("request", (request) => {
    const { hostname, protocol } = new URL(request.url());
    if (protocol.startsWith("http") && !["127.0.0.1", "localhost"].includes(hostname))
      problems.push(`call to ${hostname}`);
  });
  return { page, context, problems };
}

export async function signInAs(page, persona, path = "/") {
  await page.goto(hosting + path);
  await page.getByRole("button", { name: new RegExp(`^.?\\s*${persona}`) }).click();
  await page.getByRole("navigation").waitFor();
}

// --- accounts in the Auth emulator --------------------------------------------------------------

const auth = `http://${process.env.FIREBASE_AUTH_EMULATOR_HOST ?? "127.0.0.1:9099"}`;
const accounts = `${auth}/identitytoolkit.googleapis.com/v1/projects/${project}/accounts`;

export const signUp = (email, password, localId) => post(accounts, { email, password, localId });
export const deleteAccount = (localId) => post(`${accounts}:delete`, { localId });

async function post(address, body) {
  const response = await fetch(address, {
    method: "POST",
    headers: { Authorization: "Bearer owner", "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`${address}: ${response.status} ${await response.text()}`);
  return response.json();
}

/** The status with which the admin function answers a user who is no administrator. */
export async function asUser(method, path) {
  const { idToken } = await post(
    `${auth}/identitytoolkit.googleapis.com/v1/accounts:signInWithPassword?key=any`,
    { email: "testUser1@example.com", password: "imagegen", returnSecureToken: true },
  );
  const response = await fetch(`${hosting}/api/admin${path}`, {
    method,
    headers: { Authorization: `Bearer ${idToken}`, "Content-Type": "application/json" },
    ...(["POST", "PUT"].includes(method) && { body: "{}" }),
  });
  return response.status;
}

// --- documents in the Firestore emulator, past the security rules --------------------------------

const documents = `${firestore}/v1/projects/${project}/databases/(default)/documents`;

/** Writes a document; with `only`, these fields of it. */
export async function put(path, fields, { only = false } = {}) {
  const address = addressOf(path);
  if (only) {
    for (const name of Object.keys(fields))
      address.searchParams.append("updateMask.fieldPaths", name);
  }
  await asOwner(address, { method: "PATCH", body: JSON.stringify(encoded(fields).mapValue) });
}

/** Copies a document, with some fields of its own. */
export async function copy(from, to, fields) {
  const original = await asOwner(addressOf(from));
  const changed = { fields: { ...original.fields, ...encoded(fields).mapValue.fields } };
  await asOwner(addressOf(to), { method: "PATCH", body: JSON.stringify(changed) });
}

export const remove = (path) => asOwner(addressOf(path), { method: "DELETE" });

/** Removes the documents of a collection; tests make no more than 300. */
export async function clear(collection) {
  const { documents: found = [] } = await asOwner(
    new URL(`${documents}/${collection}?pageSize=300`),
  );
  await Promise.all(found.map(({ name }) => remove(`${collection}/${name.split("/").at(-1)}`)));
}

const addressOf = (path) =>
  new URL(`${documents}/${path.split("/").map(encodeURIComponent).join("/")}`);

async function asOwner(address, request = {}, attempts = 5) {
  const headers = { Authorization: "Bearer owner", "Content-Type": "application/json" };
  const response = await fetch(address, { ...request, headers });
  // A transaction of the functions holds the document.
  if (response.status === 409 && attempts > 1) return asOwner(address, request, attempts - 1);
  if (!response.ok) throw new Error(`${address}: ${response.status} ${await response.text()}`);
  return response.json();
}

function encoded(value) {
  if (value === null || value === undefined) return { nullValue: null };
  if (value instanceof Date) return { timestampValue: value.toISOString() };
  if (Array.isArray(value)) return { arrayValue: { values: value.map(encoded) } };
  if (typeof value === "object")
    return {
      mapValue: {
        fields: Object.fromEntries(
          Object.entries(value).map(([name, each]) => [name, encoded(each)]),
        ),
      },
    };
  if (typeof value === "number")
    return Number.isInteger(value) ? { integerValue: String(value) } : { doubleValue: value };
  return typeof value === "boolean" ? { booleanValue: value } : { stringValue: value };
}

/** Calls a function as its users do. */
export async function call(name, body) {
  const response = await fetch(`${functions}/${name}`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
  return { code: response.status, body: await response.json() };
}

/** Sets the models for tests: images from the Hosting emulator, and no random failures. */
export async function prepareModels() {
  await put(
    "models/Model A",
    { imageUrl: `${hosting}/images/model-a.png`, failureRate: 0 },
    { only: true },
  );
  await put(
    "models/Model B",
    { imageUrl: `${hosting}/images/model-b.png`, failureRate: 0 },
    { only: true },
  );
  await put("models/Broken", {
    generator: "mock",
    imageUrl: `${hosting}/images/model-a.png`,
    failureRate: 1,
    enabled: true,
    sortOrder: 90,
    description: "Always fails.",
  });
}

/** Starts the studio, whose model `Local Studio` is offered then as beside `make run`. */
export async function startStudio() {
  const root = resolve(import.meta.dirname, "../..");
  const studio = spawn(
    resolve(root, "functions/venv/bin/python"),
    ["-m", "studio", "--port", "0", "--seconds", "0.2", "--offer"],
    { cwd: resolve(root, "tools"), stdio: ["ignore", "pipe", "inherit"] },
  );
  await Promise.race([
    once(studio.stdout, "data"),
    once(studio, "exit").then(() => Promise.reject(new Error("the studio has not started"))),
  ]);
  return async () => {
    studio.kill();
    await remove("models/Local Studio");
  };
}

/** Starts the stand-in for Stripe where the emulators look for it, and puts its packs on offer. */
export async function startPayments() {
  const root = resolve(import.meta.dirname, "../..");
  const stub = spawn(
    resolve(root, "functions/venv/bin/python"),
    ["-m", "stripe_stub", "--webhook-url", `${functions}/stripeWebhook`],
    { cwd: resolve(root, "tools"), stdio: ["ignore", "pipe", "inherit"] },
  );
  process.once("exit", () => stub.kill()); // also when a test or a picture fails
  await Promise.race([
    once(stub.stdout, "data"),
    once(stub, "exit").then(() => Promise.reject(new Error("the stand-in has not started"))),
  ]);
  const product = { kind: "purchase", enabled: true };
  await put("products/pack-100", {
    ...product,
    credits: 100,
    stripePrice: "price_pack_100",
    validDays: 365,
    sortOrder: 10,
    description: "100 credits",
  });
  await put("products/monthly-200", {
    ...product,
    kind: "subscription",
    credits: 200,
    stripePrice: "price_monthly_200",
    sortOrder: 20,
    description: "200 credits a month",
  });
  await put("products/stores-only", {
    ...product,
    credits: 5,
    revenueCatProduct: "com.example.five",
    sortOrder: 30,
    description: "Five in the app",
  });
  return () => stub.kill();
}

/** Makes the history of an invented app, and its weekly reports. */
export async function makeDemoData(weeks) {
  const root = resolve(import.meta.dirname, "../..");
  const admin = resolve(root, "functions/venv/bin/imagegen-admin");
  await promisify(execFile)(admin, ["demo-data", "--weeks", String(weeks), "--seed", "7"]);
}

/** The weeks with a report, newest first. The first test that asks makes demo data. */
export async function reportedWeeks() {
  const list = async () =>
    (await asOwner(new URL(`${documents}/reports?pageSize=100`))).documents ?? [];
  if ((await list()).length === 0) await makeDemoData(6);
  return (await list())
    .map(({ name }) => name.split("/").at(-1))
    .sort()
    .reverse();
}
