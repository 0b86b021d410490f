/** Everything that is known of a user, and what an administrator can do. */
import { isImagegenError } from "imagegen-client";
import { useState } from "preact/hooks";
import { admin, at } from "../../../api/admin";
import type { UserView } from "../../../api/admin-types";
import { call } from "../../../api/client";
import { Failure } from "../../../ui/failure";
import { useTitle } from "../../../ui/hooks";
import { Loading } from "../../../ui/loading";
import { Empty, PageHead, Skeleton } from "../../../ui/page";
import { useResource } from "../../../ui/resource";
import { Tabs } from "../../../ui/tabs";
import { Account } from "../../credits/account";
import { EventList } from "../events/event-list";
import { RequestList } from "../requests/request-list";
import { Actions, type Deed } from "./actions";
import { Delete } from "./delete";
import { Export } from "./export";
import { Grant } from "./grant";
import { Devices, Profile } from "./profile";
import { Repair } from "./repair";
import { SwitchStatus } from "./switch-status";
import { Transfer } from "./transfer";
import { Waive } from "./waive";

export function User({ userId }: { userId: string }) {
  useTitle(`User ${userId}`);
  const view = useResource(() => admin<UserView>("GET", at`/users/${userId}`), [userId]);
  const answer = useResource(() => call("getUserCredits", { userId, view: "full" }), [userId]);
  const [open, setOpen] = useState<Deed | null>(null);
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
  const given = { user, balance, onClose: close, onDone: reload };
  return (
    <>
      <PageHead
        title={user.email ?? user.userId}
        actions={<Actions user={user} debt={balance?.debt ?? 0} onChoose={setOpen} />}
      >
        <a href="/users">All users</a>
      </PageHead>
      {view.error !== null && <Failure error={view.error} onRetry={reload} />}
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
                {answer.error !== null && user.usable && (
                  <NoBalance error={answer.error} onRetry={answer.reload} />
                )}
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

function NoBalance({ error, onRetry }: { error: unknown; onRetry: () => void }) {
  return isUnknown(error) ? (
    <Empty icon="credits" title="No credit account yet">
      It is opened when the user first gets credits: free ones, by a purchase or by a grant.
    </Empty>
  ) : (
    <Failure error={error} onRetry={onRetry} />
  );
}
