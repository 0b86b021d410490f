/** Which screen is shown, and to whom. */
import type { ComponentType } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { session, startSession, type User } from "../api/session";
import { Create } from "../features/create/create";
import { Gallery } from "../features/gallery/gallery";
import { SignIn } from "../features/signin/sign-in";
import { Failure } from "../ui/failure";
import { Empty, Skeleton } from "../ui/page";
import { followLinks, go, place, reloads, segment } from "../ui/router";
import { Frame } from "./frame";
import { SCREENS } from "./screens";

export function App() {
  const current = session.value;
  useEffect(() => {
    document.addEventListener("click", followLinks);
    return () => document.removeEventListener("click", followLinks);
  }, []);
  const wasSignedIn = useRef(false);
  useEffect(() => {
    // Whoever signs in next begins at their own start page.
    if (wasSignedIn.current && current.state === "signedOut") go("/", { replace: true });
    wasSignedIn.current = current.state === "signedIn";
  }, [current.state]);

  if (current.state === "failed") {
    return (
      <main class="lonely">
        <Failure error={new Error(current.message)} onRetry={() => void startSession()} />
      </main>
    );
  }
  if (current.state === "signedOut")
    return <SignIn onEmulators={current.onEmulators} notice={current.notice} />;
  const user = current.state === "signedIn" ? current.user : null;
  return (
    <Frame user={user}>
      {user ? <Screen key={`${user.uid} ${reloads.value}`} user={user} /> : <Skeleton lines={4} />}
    </Frame>
  );
}

function Screen({ user }: { user: User }) {
  const { path } = place.value;
  useEffect(() => {
    if (path === "/") go(user.isAdmin ? "/reports" : "/create", { replace: true });
  }, [path, user]);
  const name = path.split("/")[1] ?? "";
  const screen = SCREENS.find((each) => each.path === `/${name}`);
  if (screen?.adminOnly && !user.isAdmin) return <AdminsOnly />;
  switch (name) {
    case "":
      return null;
    case "create":
      return <Create user={user} />;
    case "gallery":
      return <Gallery user={user} requestId={segment()} />;
    case "credits":
      return (
        <Later
          key="credits"
          load={async () => (await import("../features/credits/credits")).Credits}
        />
      );
    case "account":
      return (
        <Later
          key="account"
          load={async () => (await import("../features/account/account")).Account}
        />
      );
    case "reports":
      return (
        <Later
          key="reports"
          load={async () => (await import("../features/reports/reports")).Reports}
        />
      );
    case "api":
      return (
        <Later
          key="api"
          load={async () => (await import("../features/api-reference/api-reference")).ApiReference}
        />
      );
    default:
      return screen ? (
        <Later key="admin" load={async () => (await import("../features/admin/admin")).Admin} />
      ) : (
        <Empty
          icon="warning"
          title="There is no such page"
          action={
            <a class="button plain" href="/">
              Go to the start page
            </a>
          }
        >
          The address may be mistyped or old.
        </Empty>
      );
  }
}

function AdminsOnly() {
  return (
    <Empty
      icon="user"
      title="This screen is for administrators"
      action={
        <a class="button plain" href="/create">
          Create an image
        </a>
      }
    >
      Your account is not an administrator’s.
    </Empty>
  );
}

/** A screen whose code is loaded when it is opened for the first time. */
function Later({ load }: { load: () => Promise<ComponentType> }) {
  const [screen, setScreen] = useState<{ View: ComponentType } | null>(null);
  const [error, setError] = useState<unknown>(null);
  useEffect(() => {
    load().then((View) => setScreen({ View }), setError);
  }, []);
  if (error)
    return (
      <Failure
        error={new Error("This screen could not be loaded.")}
        onRetry={() => location.reload()}
        retryLabel="Reload"
      />
    );
  return screen ? <screen.View /> : <Skeleton lines={5} />;
}
