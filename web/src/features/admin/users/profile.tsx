/** Who a user is, and the devices that are told when an image is finished. */
import type { UserView } from "../../../api/admin-types";
import { Badge } from "../../../ui/badge";
import { Identifier } from "../../../ui/button";
import { Fact, Facts } from "../../../ui/facts";
import { credits, number } from "../../../ui/format";
import { Empty } from "../../../ui/page";
import { When } from "../../../ui/when";
import { AccountBadge } from "./account-badge";

export function Profile({ user, debt }: { user: UserView["user"]; debt: number }) {
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

export function Devices({ devices }: { devices: UserView["user"]["devices"] }) {
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
