/** Everything that is known of a user, and what an administrator can do. */
import { isImagegenError } from "imagegen-client";
import { useState } from "preact/hooks";
import { admin, at } from "../../../api/admin";
import type { UserView } from "../../../api/admin-types";
import { call } from "../../../api/client";
import { Badge } from "../../../ui/badge";
import { Button, Identifier } from "../../../ui/button";
import { Fact, Facts } from "../../../ui/facts";
import { Failure } from "../../../ui/failure";
import { credits, number } from "../../../ui/format";
import { useTitle } from "../../../ui/hooks";
import { Loading } from "../../../ui/loading";
import { Empty, PageHead, Skeleton } from "../../../ui/page";
import { useResource } from "../../../ui/resource";
import { Tabs } from "../../../ui/tabs";
import { When } from "../../../ui/when";
import { Account } from "../../credits/account";
import { EventList } from "../events/event-list";
import { RequestList } from "../requests/request-list";
import { AccountBadge } from "./account-badge";
import { Delete } from "./delete";
import { Export } from "./export";
import { Grant } from "./grant";
import { Repair } from "./repair";
import { SwitchStatus } from "./switch-status";
import { Transfer } from "./transfer";
import { Waive } from "./waive";

type Dialog = "grant" | "transfer" | "waive" | "export" | "repair" | "status" | "delete";

export function User({ userId }: { userId: string }) {
  useTitle(`User ${userId}`);
  const view = useResource(() => admin<UserView>("GET", at`/users/${userId}`), [userId]);
  const answer = useResource(() => call("getUserCredits", { userId, view: "full" }), [userId]);
  const [open, setOpen] = useState<Dialog | null>(null);
  const close = () => setOpen(null);
  const reload = () => {
    view.reload();
    answer.reload();
  };
  if (!view.value) {
    return (
      <>
        <PageHead title={userId}>
          <a href="/users">All users</a>
        </PageHead>
        {isUnknown(view.error) ? (
          <div role="alert">
            <Empty icon="user" title="There is no such user">
              Neither Firebase Authentication nor the credit accounts know this id.
            </Empty>
          </div>
        ) : (
          <Loading resource={view} height="24rem" />
        )}
      </>
    );
  }
  const { user, balance } = view.value;
  const isLeaving = user.status === "closing" || user.status === "closed";
  const given = { user, balance, onClose: close, onDone: reload };
  return (
    <>
      <PageHead
        title={user.email ?? user.userId}
        actions={
          <>
            <Button kind="primary" icon="create" onClick={() => setOpen("grant")}>
              Grant credits
            </Button>
            {(balance?.debt ?? 0) > 0 && (
              <Button onClick={() => setOpen("waive")}>Waive the debt</Button>
            )}
            {!user.usable && <Button onClick={() => setOpen("repair")}>Repair</Button>}
            <Button onClick={() => setOpen("transfer")}>Move purchases</Button>
            <Button onClick={() => setOpen("export")}>Export</Button>
            <Button onClick={() => setOpen("status")} disabled={isLeaving}>
              {user.status === "disabled" ? "Enable" : "Disable"}
            </Button>
            <Button
              kind="danger"
              icon="trash"
              disabled={isLeaving}
              onClick={() => setOpen("delete")}
            >
              Delete
            </Button>
          </>
        }
      >
        <a href="/users">All users</a>
      </PageHead>
      {!user.usable && (
        <p class="banner" role="status">
          This account is malformed ({Object.keys(user.malformed).join(", ")}): every call for it is
          refused until it is repaired.
        </p>
      )}
      <Tabs
        label="About the user"
        parameter="tab"
        tabs={[
          {
            name: "Account",
            body: () => (
              <>
                <Profile user={user} debt={balance?.debt ?? 0} />
                {answer.value && <Account newest={answer.value} userId={userId} own={false} />}
                {!answer.value && answer.loading && <Skeleton height="16rem" />}
                {answer.error !== null && user.usable && <NoBalance error={answer.error} />}
              </>
            ),
          },
          { name: "Requests", body: () => <RequestList userId={userId} /> },
          {
            name: "Events",
            body: () => <EventList path={at`/users/${userId}/events`} filters={{}} />,
          },
          { name: "Devices", body: () => <Devices devices={user.devices} /> },
        ]}
      />
      {open === "grant" && <Grant {...given} />}
      {open === "transfer" && <Transfer {...given} />}
      {open === "waive" && <Waive {...given} />}
      {open === "export" && <Export {...given} />}
      {open === "repair" && <Repair {...given} />}
      {open === "status" && <SwitchStatus {...given} onChange={view.change} />}
      {open === "delete" && <Delete {...given} />}
    </>
  );
}

export type Administered = UserView & { onClose: () => void; onDone: () => void };

const isUnknown = (error: unknown): boolean =>
  isImagegenError(error) && error.reason === "USER_NOT_FOUND";

function NoBalance({ error }: { error: unknown }) {
  return isUnknown(error) ? (
    <Empty icon="credits" title="No credit account yet">
      It is opened by the user’s first image, or by the first grant.
    </Empty>
  ) : (
    <Failure error={error} />
  );
}

function Profile({ user, debt }: { user: UserView["user"]; debt: number }) {
  const { signInProviders = [] } = user;
  return (
    <section class="card" aria-labelledby="profile-title">
      <h2 id="profile-title">Who it is</h2>
      <Facts>
        <Fact name="User id">
          <Identifier value={user.userId} />
        </Fact>
        <Fact name="Account">
          <span class="entry">
            <AccountBadge status={user.status} />
            {debt > 0 && <Badge tone="bad">owes {credits(debt)}</Badge>}
          </span>
        </Fact>
        <Fact name="E-mail">
          {user.email ?? "none"}{" "}
          {user.email && !user.emailVerified && <span class="tag">not verified</span>}
        </Fact>
        <Fact name="Signs in with">
          {user.hasAuthUser
            ? signInProviders.join(", ") || (user.isAnonymous ? "nothing: anonymous" : "–")
            : "nothing: Firebase Authentication does not know this user"}
        </Fact>
        <Fact name="Opened">{user.createdAt ? <When iso={user.createdAt} /> : "–"}</Fact>
        <Fact name="Last sign-in">
          {user.lastSignInAt ? <When iso={user.lastSignInAt} /> : "–"}
        </Fact>
        <Fact name="Open requests">{number(user.openRequests)}</Fact>
        <Fact name="Devices">{number(user.devices.length)}</Fact>
      </Facts>
    </section>
  );
}

function Devices({ devices }: { devices: UserView["user"]["devices"] }) {
  if (devices.length === 0) {
    return (
      <Empty icon="events" title="No devices">
        Apps register a device to be told when an image is finished.
      </Empty>
    );
  }
  return (
    <section class="card" aria-label="Devices">
      <Facts>
        {devices.map((device) => (
          <Fact key={device.deviceId} name={device.registeredAt ? "Registered" : "Device"}>
            {device.registeredAt && <When iso={device.registeredAt} />}{" "}
            <Identifier value={device.deviceId} />
          </Fact>
        ))}
      </Facts>
    </section>
  );
}
