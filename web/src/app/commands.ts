/** What the palette can do. */
import type { UserPage } from "../api/admin-types";
import { leave, type User } from "../api/session";
import type { IconName } from "../ui/icons";
import { go } from "../ui/router";
import { chooseTheme, type Theme } from "../ui/theme";
import { SCREENS } from "./screens";

export interface Command {
  name: string;
  /** Other words that find it. */
  also?: string;
  icon: IconName;
  run: () => void;
}
/** Commands for what was typed. */
export type Source = (typed: string, user: User) => readonly Command[];

const THEMES: readonly { theme: Theme; icon: IconName }[] = [
  { theme: "light", icon: "sun" },
  { theme: "dark", icon: "moon" },
  { theme: "system", icon: "system" },
];

const screens: Source = (_, user) =>
  SCREENS.filter((screen) => !screen.adminOnly || user.isAdmin).map(({ name, path, icon }) => ({
    name,
    also: "go to open screen",
    icon,
    run: () => go(path),
  }));

const FOR_ADMINS: readonly Command[] = [
  {
    name: "Reported images",
    also: "moderation review delete dismiss",
    icon: "flag",
    run: () => go("/operations?tab=reported-images"),
  },
  {
    name: "Unmatched payments",
    also: "purchases book",
    icon: "purchases",
    run: () => go("/purchases?status=unmatched"),
  },
];

const actions: Source = (_, user) => [
  { name: "Account", also: "profile export delete data", icon: "user", run: () => go("/account") },
  { name: "Buy credits", also: "pay purchase", icon: "credits", run: () => go("/credits/buy") },
  ...(user.isAdmin ? FOR_ADMINS : []),
  ...THEMES.map(({ theme, icon }) => ({
    name: `Theme: ${theme === "system" ? "as the system" : theme}`,
    also: "dark light mode colors",
    icon,
    run: () => chooseTheme(theme),
  })),
  { name: "Sign out", also: "log out leave", icon: "signout", run: () => void leave() },
];

/** The ids of requests are 32 hexadecimal digits. */
const requests: Source = (typed, user) => {
  const id = typed.trim();
  const screen = user.isAdmin ? "requests" : "gallery";
  return /^[0-9a-f]{32}$/.test(id)
    ? [{ name: `Open request ${id}`, icon: screen, run: () => go(`/${screen}/${id}`) }]
    : [];
};

const weeks: Source = (typed, user) => {
  const week = typed.trim().toUpperCase();
  return user.isAdmin && /^\d{4}-W\d{2}$/.test(week)
    ? [{ name: `Open report ${week}`, icon: "reports", run: () => go(`/reports/${week}`) }]
    : [];
};

/** Sources whose commands follow from what was typed, and those that are searched for it. */
const EXACT: readonly Source[] = [requests, weeks];
const SEARCHED: readonly Source[] = [screens, actions];

export function commandsFor(typed: string, user: User): Command[] {
  const words = typed.toLowerCase().split(/\s+/).filter(Boolean);
  const found = SEARCHED.flatMap((source) => source(typed, user)).filter(({ name, also }) => {
    const text = `${name} ${also ?? ""}`.toLowerCase();
    return words.every((word) => text.includes(word));
  });
  return [...EXACT.flatMap((source) => source(typed, user)), ...found];
}

/** A single letter begins too many names. */
const LETTERS_TO_SEARCH_FOR = 2;

/** What the server finds: users, for administrators. Throws ImagegenError. */
export async function searchFor(typed: string, user: User): Promise<Command[]> {
  const query = typed.trim();
  if (!user.isAdmin || query.length < LETTERS_TO_SEARCH_FOR) return [];
  const { admin, at } = await import("../api/admin");
  const { users } = await admin<UserPage>("GET", "/users", { query, pageSize: 5 });
  return users.map(({ userId, email }) => ({
    name: email ? `User ${email} (${userId})` : `User ${userId}`,
    icon: "user",
    run: () => go(at`/users/${userId}`),
  }));
}
