/** The frame around every screen: navigation, balance, account. */
import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import { balance, liveProblem } from "../api/balance";
import { leave, type User } from "../api/session";
import { Dialog } from "../ui/dialog";
import { credits, number } from "../ui/format";
import { Icon, Mark } from "../ui/icons";
import { Notices } from "../ui/notices";
import { place } from "../ui/router";
import { ThemeSwitch } from "../ui/theme-switch";
import { Palette } from "./palette";
import { SCREENS, type Screen } from "./screens";

/** How many screens the bar of a small window has beside its menu, which has the others. */
const IN_BAR = 4;

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
          {screens.map((screen, index) => (
            <ScreenLink
              key={screen.path}
              screen={screen}
              current={screen === current}
              inMenu={index >= IN_BAR}
              begins={screen.adminOnly && !screens[index - 1]?.adminOnly}
            />
          ))}
          {screens.length > IN_BAR && (
            <Menu screens={screens.slice(IN_BAR)} current={current} path={place.value.path} />
          )}
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
      <Notices />
    </div>
  );
}

function ScreenLink({
  screen,
  current,
  inMenu,
  begins,
}: {
  screen: Screen;
  current: boolean;
  inMenu?: boolean;
  /** Whether it is the first of its group. */
  begins?: boolean | undefined;
}) {
  return (
    <a
      href={screen.path}
      class={`${inMenu ? "in-menu" : ""} ${begins ? "begins" : ""}`}
      aria-current={current ? "page" : undefined}
    >
      <Icon name={screen.icon} size={20} />
      <span>{screen.name}</span>
    </a>
  );
}

/** The screens that the bar of a small window has no room for. */
function Menu({
  screens,
  current,
  path,
}: {
  screens: readonly Screen[];
  current: Screen | undefined;
  path: string;
}) {
  const [open, setOpen] = useState(false);
  useEffect(() => setOpen(false), [path]);
  return (
    <>
      <button
        type="button"
        class={`menu-opener ${current && screens.includes(current) ? "current" : ""}`}
        aria-haspopup="dialog"
        onClick={() => setOpen(true)}
      >
        <Icon name="menu" size={20} />
        <span>More</span>
      </button>
      {open && (
        <Dialog title="Screens" narrow onClose={() => setOpen(false)}>
          <ul class="menu">
            {screens.map((screen) => (
              <li key={screen.path}>
                <ScreenLink screen={screen} current={screen === current} />
              </li>
            ))}
          </ul>
        </Dialog>
      )}
    </>
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
      <a
        class="account-name"
        href="/account"
        title={user ? `${user.name}, id ${user.uid}` : undefined}
      >
        <Icon name="user" />
        <span class="account-name-text">
          <span class="visually-hidden">Account: </span>
          {user?.name ?? " "}
        </span>
        {user?.isAdmin && <span class="tag">admin</span>}
      </a>
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
