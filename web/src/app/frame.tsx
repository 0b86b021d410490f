/** The frame around every screen: navigation, balance, account. */
import type { ComponentChildren } from "preact";
import { balance, liveProblem } from "../api/balance";
import { leave, type User } from "../api/session";
import { credits, number } from "../ui/format";
import { Icon, Mark } from "../ui/icons";
import { place } from "../ui/router";
import { ThemeSwitch } from "../ui/theme-switch";
import { Palette } from "./palette";
import { SCREENS } from "./screens";

/** Shown from the first paint on; what is still loading has its space. */
export function Frame({ user, children }: { user: User | null; children: ComponentChildren }) {
  const name = place.value.path.split("/")[1];
  const current = SCREENS.find((screen) => screen.path === `/${name}`);
  const screens = SCREENS.filter((screen) => !screen.adminOnly || user?.isAdmin);
  return (
    <div class="frame">
      <a class="skip" href="#main">
        Skip to content
      </a>
      <header class="side">
        <a class="brand" href="/" aria-label="imagegen, start page">
          <Mark />
          <span>imagegen</span>
        </a>
        {user && <Palette user={user} />}
        <nav aria-label="Screens">
          {screens.map((screen) => (
            <a
              key={screen.path}
              href={screen.path}
              aria-current={screen === current ? "page" : undefined}
            >
              <Icon name={screen.icon} size={20} />
              <span>{screen.name}</span>
            </a>
          ))}
        </nav>
        <Account user={user} />
      </header>
      <main id="main" tabIndex={-1} aria-label={current?.name}>
        {liveProblem.value && (
          <p class="banner" role="status">
            <Icon name="warning" /> {liveProblem.value}
          </p>
        )}
        {children}
      </main>
    </div>
  );
}

function Account({ user }: { user: User | null }) {
  const left = balance.value;
  return (
    <div class="account">
      <a class="balance" href="/credits">
        <span class="balance-label">Balance</span>
        <span class="balance-value" aria-live="polite" data-testid="balance">
          {left === undefined ? (
            <span class="skeleton" />
          ) : left === null ? (
            "no account"
          ) : (
            number(left)
          )}
        </span>
        {typeof left === "number" && <span class="visually-hidden">{credits(left)}</span>}
      </a>
      <p class="account-name" title={user ? `${user.name}, id ${user.uid}` : undefined}>
        <span>{user?.name ?? " "}</span>
        {user?.isAdmin && <span class="tag">admin</span>}
      </p>
      <div class="account-row">
        <button type="button" class="button quiet small" onClick={() => void leave()}>
          <Icon name="signout" />
          <span class="wide-only">Sign out</span>
        </button>
        <ThemeSwitch />
      </div>
    </div>
  );
}
