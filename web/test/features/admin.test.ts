import { type Failure, imagegenError } from "imagegen-client";
import { beforeEach, describe, expect, it, vi } from "vitest";
import type { AdminPurchase } from "../../src/api/admin-types";
import { told } from "../../src/features/admin/operations/recovery";
import { creditsLeft } from "../../src/features/admin/purchases/left";

const admin = vi.hoisted(() => vi.fn());
vi.mock("../../src/api/admin", () => ({
  admin,
  at: (parts: TemplateStringsArray, ...values: string[]) => String.raw(parts, ...values),
}));
const { moveDocument } = await import("../../src/features/admin/catalogue/move");
const { register } = await import("../../src/features/admin/events/register");

const failure = (reason: Failure["reason"]) =>
  imagegenError({ reason, status: "UNKNOWN", message: "It failed.", details: {} } as never);

beforeEach(() => {
  admin.mockReset();
});

describe("moving a document of the catalogue", () => {
  const size = (name: string, sortOrder: number, credits: number) => ({
    name,
    document: { sortOrder, credits, enabled: true },
    problems: [],
  });
  const stored = (...sizes: ReturnType<typeof size>[]) => {
    admin.mockImplementation(async (method: string, path: string) =>
      method === "GET" ? { sizes } : { actionId: `put ${path}` },
    );
  };
  const puts = () =>
    admin.mock.calls
      .filter(([method]) => method === "PUT")
      .map(([, path, { document }]) => [path, document]);

  it("keeps the fields that are stored now, whatever the list has shown", async () => {
    stored(size("large", 20, 9), size("small", 10, 2));
    expect(await moveDocument("sizes", "large", "small")).toEqual([
      "put /sizes/large",
      "put /sizes/small",
    ]);
    expect(puts()).toEqual([
      ["/sizes/large", { sortOrder: 10, credits: 9, enabled: true }],
      ["/sizes/small", { sortOrder: 20, credits: 2, enabled: true }],
    ]);
  });

  it("does nothing if one of the two is gone", async () => {
    stored(size("small", 10, 2));
    expect(await moveDocument("sizes", "large", "small")).toEqual([]);
    expect(await moveDocument("sizes", "small", "large")).toEqual([]);
    expect(puts()).toEqual([]);
  });
});

describe("registering a webhook endpoint", () => {
  const endpoint = { url: "https://example.com/hooks", types: [], reason: "The shop asks." };

  it("tells the secret", async () => {
    admin.mockResolvedValue({ id: "e1", secret: "whsec_1" });
    expect(await register(endpoint)).toBe("whsec_1");
  });

  it("asks to look before it is tried again, where it may have been done", async () => {
    for (const reason of ["NO_ANSWER", "BACKEND_UNAVAILABLE"] as const) {
      admin.mockRejectedValueOnce(failure(reason));
      await expect(register(endpoint)).rejects.toThrow("It may have been added.");
    }
    admin.mockRejectedValueOnce(failure("NOT_ADMIN"));
    await expect(register(endpoint)).rejects.toMatchObject({ reason: "NOT_ADMIN" });
  });
});

describe("what a refund takes back", () => {
  const purchase = (taken: Partial<AdminPurchase>) =>
    ({
      credits: 100,
      expiredCredits: 0,
      clawedBackCredits: 0,
      owedCredits: 0,
      waivedCredits: 0,
      ...taken,
    }) as AdminPurchase;

  it("is what was neither taken back already, nor has expired unspent", () => {
    expect(creditsLeft(purchase({}))).toBe(100);
    expect(creditsLeft(purchase({ expiredCredits: 70 }))).toBe(30);
    expect(
      creditsLeft(purchase({ clawedBackCredits: 10, owedCredits: 20, waivedCredits: 5 })),
    ).toBe(65);
    expect(creditsLeft(purchase({ expiredCredits: 70, clawedBackCredits: 50 }))).toBe(0);
  });
});

describe("what recovery has done", () => {
  const nothing = {
    recoveredRequests: 0,
    failedRequests: 0,
    enqueuedEvents: 0,
    enqueuedAccounts: 0,
  };

  it("is told in words, without what it has not done", () => {
    expect(told(nothing)).toBe("There was nothing to recover.");
    expect(told({ ...nothing, recoveredRequests: 2, enqueuedEvents: 1 })).toBe(
      "2 lost requests were ended and refunded. 1 event is delivered now.",
    );
    expect(told({ ...nothing, failedRequests: 1, enqueuedAccounts: 1200 })).toBe(
      "1 request could not be ended: see the logs. 1,200 deletions of accounts go on.",
    );
  });
});
