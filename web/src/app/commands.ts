/** What the palette can do. */
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
/** Commands for what was typed. Sources may be added: users and requests for administrators. */
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

const actions: Source = () => [
  { name: "Buy credits", also: "pay purchase", icon: "credits", run: () => go("/credits/buy") },
  ...THEMES.map(({ theme, icon }) => ({
    name: `Theme: ${theme === "system" ? "as the system" : theme}`,
    also: "dark light mode colors",
    icon,
    run: () => chooseTheme(theme),
  })),
  { name: "Sign out", also: "log out leave", icon: "signout", run: () => void leave() },
];

/** The ids of requests are 32 hexadecimal digits. */
const requests: Source = (typed) => {
  const id = typed.trim();
  return /^[0-9a-f]{32}$/.test(id)
    ? [{ name: `Open request ${id}`, icon: "gallery", run: () => go(`/gallery/${id}`) }]
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
