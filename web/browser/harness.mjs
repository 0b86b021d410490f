/** What browser tests and screenshots share: a browser, signed-in pages, documents to look at. */
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { promisify } from "node:util";
import { chromium } from "playwright-core";

const BROWSERS = [process.env.CHROMIUM, "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome", "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"];
const FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];

export const hosting = process.env.HOSTING_URL ?? "http://127.0.0.1:5000";
export const functions = process.env.FUNCTIONS_BASE_URL ?? "http://127.0.0.1:5001/demo-imagegen/us-central1";
const project = process.env.GCLOUD_PROJECT ?? "demo-imagegen";
const firestore = `http://${process.env.FIRESTORE_EMULATOR_HOST ?? "127.0.0.1:8080"}`;

/** A Chromium of this machine; undefined when there is none. */
export const browserPath = () => BROWSERS.find((path) => path && existsSync(path));

export function launch() {
  return chromium.launch({ executablePath: browserPath(), args: FLAGS });
}

/** A page that notes what must not happen: errors, refused resources, calls to other hosts. */
export async function openPage(browser, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1360, height: 900 }, locale: "en-GB", ...options });
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  await context.addInitScript(() => {
    globalThis.violations = [];
    addEventListener("securitypolicyviolation", (event) => globalThis.violations.push(`${event.violatedDirective} ${event.blockedURI}`));
  });
  const page = await context.newPage();
  const problems = [];
  page.on("pageerror", (error) => problems.push(`error: ${error.message}`));
  page.on("console", (message) => {
    // Failed calls are part of what is tested; the browser reports each of them here too.
    if (message.type() === "error" && !/Failed to load resource/.test(message.text())) problems.push(message.text());
  });
  page.on("request", (request) => {
    const { hostname, protocol } = new URL(request.url());
    if (protocol.startsWith("http") && !["127.0.0.1", "localhost"].includes(hostname)) problems.push(`call to ${hostname}`);
  });
  return { page, context, problems };
}

export async function signInAs(page, persona, path = "/") {
  await page.goto(hosting + path);
  await page.getByRole("button", { name: new RegExp(`^.?\\s*${persona}`) }).click();
  await page.getByRole("navigation").waitFor();
}

// --- documents in the Firestore emulator, past every rule --------------------------------------

const documents = `${firestore}/v1/projects/${project}/databases/(default)/documents`;

export async function put(path, fields, { only = false } = {}) {
  const address = new URL(`${documents}/${path.split("/").map(encodeURIComponent).join("/")}`);
  if (only) for (const name of Object.keys(fields)) address.searchParams.append("updateMask.fieldPaths", name);
  const response = await fetch(address, {
    method: "PATCH",
    headers: { Authorization: "Bearer owner", "Content-Type": "application/json" },
    body: JSON.stringify({ fields: encoded(fields).mapValue.fields }),
  });
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
}

function encoded(value) {
  if (value === null || value === undefined) return { nullValue: null };
  if (value instanceof Date) return { timestampValue: value.toISOString() };
  if (Array.isArray(value)) return { arrayValue: { values: value.map(encoded) } };
  if (typeof value === "object") return { mapValue: { fields: Object.fromEntries(Object.entries(value).map(([name, each]) => [name, encoded(each)])) } };
  if (typeof value === "number") return Number.isInteger(value) ? { integerValue: String(value) } : { doubleValue: value };
  return typeof value === "boolean" ? { booleanValue: value } : { stringValue: value };
}

/** A function called as its users call it. */
export async function call(name, body) {
  const response = await fetch(`${functions}/${name}`, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
  return { code: response.status, body: await response.json() };
}

/** Models as the tests need them: the images come from this suite's Hosting, nothing fails by chance. */
export async function prepareModels() {
  await put("models/Model A", { imageUrl: `${hosting}/images/model-a.png`, failureRate: 0 }, { only: true });
  await put("models/Model B", { imageUrl: `${hosting}/images/model-b.png`, failureRate: 0 }, { only: true });
  await put("models/Broken", { generator: "mock", imageUrl: `${hosting}/images/model-a.png`, failureRate: 1, enabled: true, sortOrder: 90, description: "Always fails." });
}

/** An invented app with a past, and the reports that the backend made of it. */
export async function makeDemoData(weeks) {
  const root = resolve(import.meta.dirname, "../..");
  const admin = resolve(root, "functions/venv/bin/imagegen-admin");
  await promisify(execFile)(admin, ["demo-data", "--weeks", String(weeks), "--seed", "7"]);
}
