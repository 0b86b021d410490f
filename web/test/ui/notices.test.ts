import { describe, expect, it, vi } from "vitest";
import type { Session } from "../../src/api/session";

vi.mock("../../src/api/firebase", () => ({ backend: vi.fn() }));
const { session } = await import("../../src/api/session");
const { notices, notify } = await import("../../src/ui/notices");

const as = (uid: string, isAdmin = true): Session => ({
  state: "signedIn",
  onEmulators: true,
  user: { uid, name: uid, isAdmin },
});

describe("messages", () => {
  it("and their buttons to undo are not those of whoever signs in next", () => {
    session.value = as("ann");
    notify("The account is disabled.", async () => {});
    session.value = as("ann", false);
    expect(notices.value).toHaveLength(1);
    session.value = as("bob");
    expect(notices.value).toEqual([]);
  });
});
