import { afterAll, beforeEach, describe, expect, it, vi } from "vitest";
import type { Session } from "../../src/api/session";

const api = vi.hoisted(() => ({ call: vi.fn(), listen: vi.fn() }));
vi.mock("../../src/api/client", () => ({ call: api.call }));
vi.mock("../../src/api/firebase", () => ({ listen: api.listen, backend: vi.fn() }));
const { balance, followBalance } = await import("../../src/api/balance");
const { session } = await import("../../src/api/session");

const signedInAs = (uid: string): Session => ({
  state: "signedIn",
  onEmulators: true,
  user: { uid, name: uid, isAdmin: false },
});

const watchBalance = vi.fn();
/** What Firestore tells of the account; null: there is none. */
const tell = (credits: number | null) => watchBalance.mock.lastCall?.[2](credits);
const settled = () => new Promise((resolve) => setTimeout(resolve));

afterAll(followBalance());
beforeEach(() => {
  vi.resetAllMocks();
  api.listen.mockImplementation((begin) => {
    begin({}, { watchBalance });
    return () => {};
  });
  api.call.mockRejectedValue(new Error("USER_NOT_FOUND"));
  session.value = { state: "signedOut", onEmulators: true, notice: "" };
});

describe("a visit", () => {
  it("begins with a call that books what is due to the user, each time somebody signs in", () => {
    session.value = signedInAs("ann");
    expect(api.call).toHaveBeenLastCalledWith("getUserCredits", { userId: "ann", pageSize: 1 });
    session.value = signedInAs("bob");
    expect(api.call).toHaveBeenLastCalledWith("getUserCredits", { userId: "bob", pageSize: 1 });
    expect(api.call).toHaveBeenCalledTimes(2);
  });

  it("says that there is no account when that call has not opened one", async () => {
    session.value = signedInAs("ann");
    tell(null);
    expect(balance.value).toBeUndefined();
    await settled();
    expect(balance.value).toBeNull();
  });

  it("shows the account that the call has opened, and that of nobody else", async () => {
    session.value = signedInAs("ann");
    tell(null);
    tell(20);
    expect(balance.value).toBe(20);
    await settled();
    expect(balance.value).toBe(20);
    session.value = signedInAs("bob");
    tell(null);
    session.value = signedInAs("ann");
    await settled();
    expect(balance.value).toBeUndefined();
  });
});
