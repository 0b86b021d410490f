import { deleteApp, type FirebaseApp, initializeApp } from "firebase/app";
import { CustomProvider, initializeAppCheck } from "firebase/app-check";
import { getFunctions } from "firebase/functions";
import { afterEach, beforeEach, describe, expect, expectTypeOf, it, vi } from "vitest";
import described from "../../../openapi.json" with { type: "json" };
import { type Client, type ImagegenError, imagegen, imagegenError } from "../src/index.js";
import { FUNCTIONS, READS } from "../src/types.js";

const ORDER = {
  userId: "ann",
  model: "Model A",
  style: "anime",
  color: "neon",
  size: "512x512",
  prompt: "A fox",
} as const;

const operations = Object.entries<{
  get?: object;
  put?: object;
  delete?: object;
  post?: { tags: string[] };
}>(described.paths);
/** The names of those that apps call. */
const named = (chosen: typeof operations) =>
  chosen.filter(([, { post }]) => post?.tags.includes("functions")).map(([path]) => path.slice(1));

let app: FirebaseApp;
let client: Client;
const fetched = vi.fn<typeof fetch>();
const answer = (body: unknown, status = 200) =>
  fetched.mockImplementation(async () => new Response(JSON.stringify(body), { status }));
const failure = (call: Promise<unknown>) =>
  call.then(
    () => expect.fail("the call succeeded"),
    (error: unknown) => error as ImagegenError,
  );

beforeEach(() => {
  vi.stubGlobal("fetch", fetched);
  app = initializeApp({ projectId: "shop", apiKey: "key", appId: "app" });
  client = imagegen(getFunctions(app, "https://shop.web.app/api"), { timeoutMilliseconds: 500 });
});

afterEach(async () => {
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
  fetched.mockReset();
  await deleteApp(app);
});

describe("the client", () => {
  it("has a method for each function that openapi.json describes for apps", () => {
    const callable = named(operations).sort();
    expect([...FUNCTIONS].sort()).toEqual(callable);
    expect(Object.keys(client).sort()).toEqual(callable);
  });

  it("sends the fields as data of a callable, and returns the answer", async () => {
    answer({ result: { generationRequestId: "r", deductedCredits: 1, imageUrl: "u" } });
    const made = await client.createGenerationRequest({ ...ORDER, idempotencyKey: "k" });
    expectTypeOf(made.deductedCredits).toBeNumber();
    expect(made).toEqual({ generationRequestId: "r", deductedCredits: 1, imageUrl: "u" });
    const [url, request] = fetched.mock.lastCall ?? [];
    expect(url).toBe("https://shop.web.app/api/createGenerationRequest");
    expect(JSON.parse(String(request?.body))).toEqual({ data: { ...ORDER, idempotencyKey: "k" } });
  });

  it("throws an error whose reason decides which details it has", async () => {
    const details = { reason: "INSUFFICIENT_CREDITS", required: 3, available: 2 };
    answer({ error: { status: "RESOURCE_EXHAUSTED", message: "Too dear.", details } }, 402);
    const error = await failure(client.createGenerationRequest(ORDER));
    expect(error).toMatchObject({ message: "Too dear.", status: "RESOURCE_EXHAUSTED" });
    if (error.reason !== "INSUFFICIENT_CREDITS") expect.fail(error.reason);
    expectTypeOf(error.details.available).toBeNumber();
    expect(error.details).toEqual({ required: 3, available: 2 });
  });

  it("says NO_ANSWER when nothing, too late or something else answers", async () => {
    fetched.mockRejectedValue(new TypeError("Failed to fetch"));
    expect((await failure(client.listModels({}))).reason).toBe("NO_ANSWER");
    fetched.mockImplementation(async () => new Response("<html>", { status: 502 }));
    expect((await failure(client.listModels({}))).reason).toBe("NO_ANSWER");
    fetched.mockReturnValue(new Promise(() => {}));
    expect((await failure(client.listModels({}))).reason).toBe("NO_ANSWER");
  });

  it("says UNEXPECTED when there is no such function", async () => {
    fetched.mockImplementation(async () => new Response("<html>", { status: 404 }));
    expect(await failure(client.listModels({}))).toMatchObject({
      reason: "UNEXPECTED",
      status: "NOT_FOUND",
    });
  });

  it("repeats a read once when something else, or nothing, answered", async () => {
    fetched
      .mockResolvedValueOnce(new Response("socket hang up", { status: 500 }))
      .mockResolvedValueOnce(new Response(JSON.stringify({ result: { models: [] } })))
      .mockRejectedValueOnce(new TypeError("Failed to fetch"))
      .mockResolvedValueOnce(new Response(JSON.stringify({ result: { models: [] } })));
    expect(await client.listModels({})).toEqual({ models: [] });
    expect(await client.listModels({})).toEqual({ models: [] });
    expect(fetched).toHaveBeenCalledTimes(4);
  });

  it("repeats no read that was answered or took too long, and none twice", async () => {
    answer({ error: { status: "INTERNAL", message: "?", details: { reason: "INTERNAL" } } }, 500);
    expect((await failure(client.listModels({}))).reason).toBe("INTERNAL");
    expect(fetched).toHaveBeenCalledTimes(1);
    fetched.mockReset().mockReturnValue(new Promise(() => {}));
    expect((await failure(client.listModels({}))).status).toBe("DEADLINE_EXCEEDED");
    expect(fetched).toHaveBeenCalledTimes(1);
    fetched.mockReset().mockRejectedValue(new TypeError("Failed to fetch"));
    expect((await failure(client.listModels({}))).reason).toBe("NO_ANSWER");
    expect(fetched).toHaveBeenCalledTimes(2);
  });

  it("never repeats a call that changes something", async () => {
    fetched.mockImplementation(async () => new Response("socket hang up", { status: 500 }));
    for (const name of FUNCTIONS.filter((each) => !READS.has(each))) {
      fetched.mockClear();
      expect((await failure(client[name]({} as never))).reason).toBe("NO_ANSWER");
      expect(fetched, name).toHaveBeenCalledTimes(1);
    }
  });

  it("takes for reads what openapi.json says can be called with GET", () => {
    const reads = named(operations.filter(([, { get }]) => get));
    expect([...READS].sort()).toEqual(reads.sort());
  });

  it("is restored from JSON as the same error", async () => {
    const failed = { reason: "PRICE_CHANGED", status: "FAILED_PRECONDITION" } as const;
    const error = imagegenError({ ...failed, message: "Dearer.", details: { credits: 4 } });
    expect(imagegenError(JSON.parse(JSON.stringify(error)))).toEqual(error);
  });
});

describe("App Check", () => {
  const tokenOf = () => new Headers(fetched.mock.lastCall?.[1]?.headers).get("X-Firebase-AppCheck");

  it("gives each order a token of its own", async () => {
    let made = 0;
    const getToken = async () => ({
      token: `t${++made}`,
      expireTimeMillis: Date.now() + 3_600_000,
    });
    initializeAppCheck(app, { provider: new CustomProvider({ getToken }) });
    answer({ result: {} });
    await client.listModels({});
    const cached = tokenOf();
    await client.listModels({});
    expect(tokenOf()).toBe(cached);
    await client.createGenerationRequest(ORDER);
    const once = tokenOf();
    await client.createGenerationRequest(ORDER);
    expect(new Set([cached, once, tokenOf()]).size).toBe(3);
  });

  it("makes the call without a token when none can be had", async () => {
    vi.spyOn(console, "error").mockImplementation(() => {});
    vi.spyOn(console, "warn").mockImplementation(() => {});
    const failed = Object.assign(new Error("blocked"), { code: "appCheck/recaptcha-error" });
    const getToken = () => Promise.reject(failed);
    initializeAppCheck(app, { provider: new CustomProvider({ getToken }) });
    answer({ result: { imageUrl: "u" } });
    expect(await client.createGenerationRequest(ORDER)).toEqual({ imageUrl: "u" });
    expect(tokenOf()).toBeNull();
    expect(fetched).toHaveBeenCalledTimes(1);
  });
});
