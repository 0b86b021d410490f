/** The frame around every screen, and which screen it is. */
import type { ComponentType } from "preact";
import { useEffect, useState } from "preact/hooks";
import { credits, number } from "./format";
import { followLinks, go, place } from "./router";
import { Create } from "./screens/create";
import { Gallery } from "./screens/gallery";
import { SignIn } from "./screens/signin";
import { balance, leave, liveProblem, session, startSession, type User } from "./session";
import { chooseTheme, theme, type Theme } from "./theme";
import { Icon, type IconName, Mark } from "./ui/icons";
import { Empty, Failure, Skeleton } from "./ui/parts";

interface Screen {
  path: string;
  name: string;
  icon: IconName;
  adminOnly?: boolean;
}

const SCREENS: readonly Screen[] = [
  { path: "/create", name: "Create", icon: "create" },
  { path: "/gallery", name: "Gallery", icon: "gallery" },
  { path: "/credits", name: "Credits", icon: "credits" },
  { path: "/reports", name: "Reports", icon: "reports", adminOnly: true },
  { path: "/api", name: "API", icon: "api" },
];

export function App() {
  useEffect(() => {
    document.addEventListener("click", followLinks);
    return () => document.removeEventListener("click", followLinks);
  }, []);
  const current = session.value;
  if (current.state === "failed") {
    return (
      <main class="lonely">
        <Failure error={new Error(current.message)} onRetry={() => void startSession()} />
      </main>
    );
  }
  if (current.state === "signedOut") return <SignIn onEmulators={current.onEmulators} />;
  return <Frame user={current.state === "signedIn" ? current.user : null} />;
}

/** Stands from the first paint on, with room for what is still to come. */
function Frame({ user }: { user: User | null }) {
  const { path } = place.value;
  const current = SCREENS.find((screen) => path.startsWith(screen.path));
  const screens = SCREENS.filter((screen) => !screen.adminOnly || user?.isAdmin);
  return (
    <div class="frame">
      <a class="skip" href="#main">
        Skip to content
      </a>
      <header class="side" aria-label="Console">
        <a class="brand" href="/" aria-label="imagegen, start page">
          <Mark />
          <span>imagegen</span>
        </a>
        <nav aria-label="Screens">
          {screens.map((screen) => (
            <a key={screen.path} href={screen.path} aria-current={screen === current ? "page" : undefined}>
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
        {user ? <Current user={user} /> : <Skeleton lines={4} />}
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
          {left === undefined ? <span class="skeleton" /> : left === null ? "no account" : number(left)}
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

const THEMES: Record<Theme, { next: Theme; icon: IconName; name: string }> = {
  system: { next: "light", icon: "system", name: "as the system" },
  light: { next: "dark", icon: "sun", name: "light" },
  dark: { next: "system", icon: "moon", name: "dark" },
};

export function ThemeSwitch() {
  const { next, icon, name } = THEMES[theme.value];
  return (
    <button type="button" class="button quiet icon-only" aria-label={`Theme: ${name}. Switch to ${THEMES[next].name}`} title={`Theme: ${name}`} onClick={() => chooseTheme(next)}>
      <Icon name={icon} />
    </button>
  );
}

function Current({ user }: { user: User }) {
  const { path } = place.value;
  useEffect(() => {
    if (path === "/") go(user.isAdmin ? "/reports" : "/create", { replace: true });
  }, [path, user]);
  if (path === "/") return null;
  if (path === "/create") return <Create user={user} />;
  if (path.startsWith("/gallery")) return <Gallery user={user} requestId={decodeURIComponent(path.split("/")[2] ?? "")} />;
  if (path === "/credits") return <Later key="credits" load={async () => (await import("./screens/credits")).Credits} />;
  if (path.startsWith("/reports")) {
    if (!user.isAdmin) {
      return (
        <Empty icon="reports" title="Reports are for administrators" action={<a class="button plain" href="/create">Create an image</a>}>
          Your account does not carry the administrator’s claim.
        </Empty>
      );
    }
    return <Later key="reports" load={async () => (await import("./screens/reports")).Reports} />;
  }
  if (path === "/api") return <Later key="api" load={async () => (await import("./screens/api")).Api} />;
  return (
    <Empty icon="warning" title="There is no such page" action={<a class="button plain" href="/">To the start page</a>}>
      The address may be mistyped or old.
    </Empty>
  );
}

/** A screen whose code is loaded when it is first opened. */
function Later({ load }: { load: () => Promise<ComponentType> }) {
  const [screen, setScreen] = useState<{ View: ComponentType } | null>(null);
  const [error, setError] = useState<unknown>(null);
  useEffect(() => {
    load().then((View) => setScreen({ View }), setError);
  }, []);
  if (error) return <Failure error={new Error("This screen could not be loaded.")} onRetry={() => location.reload()} retryLabel="Reload" />;
  return screen ? <screen.View /> : <Skeleton lines={5} />;
}
