/** Users, found by uid, by its beginning or by e-mail; the newest accounts first. */
import { admin } from "../../../api/admin";
import type { FoundUser, UserPage } from "../../../api/admin-types";
import { Badge } from "../../../ui/badge";
import { filtered, TextFilter } from "../../../ui/filters";
import { number } from "../../../ui/format";
import { useTitle } from "../../../ui/hooks";
import { Listing } from "../../../ui/listing";
import { Empty, PageHead } from "../../../ui/page";
import { PagedList, usePaged } from "../../../ui/paged";
import { When } from "../../../ui/when";
import { AccountBadge } from "./account-badge";

export function Users() {
  useTitle("Users");
  const query = filtered("query");
  const list = usePaged<FoundUser>(
    async (pageToken) => {
      const page = await admin<UserPage>("GET", "/users", { query, pageToken, pageSize: 25 });
      return { items: page.users, nextPageToken: page.nextPageToken };
    },
    [query],
  );
  return (
    <>
      <PageHead title="Users">
        {query ? "Found by uid, its beginning, or e-mail." : "The newest accounts first."}
      </PageHead>
      <div class="filters" role="search">
        <TextFilter name="query" label="User id, its beginning, or e-mail" />
      </div>
      <PagedList
        list={list}
        empty={
          <Empty icon="user" title={query ? "Nobody is found" : "No users yet"}>
            {query
              ? "A uid or its beginning has to be written exactly, an e-mail address completely."
              : "An account is opened when a user first gets credits."}
          </Empty>
        }
      >
        {(users) => (
          <Listing
            label="Users"
            head={
              <>
                <th scope="col">User</th>
                <th scope="col">Account</th>
                <th scope="col" class="end">
                  Credits
                </th>
                <th scope="col" class="wide-cell">
                  Opened
                </th>
              </>
            }
          >
            {users.map((user) => (
              <Row key={user.userId} user={user} />
            ))}
          </Listing>
        )}
      </PagedList>
    </>
  );
}

function Row({ user }: { user: FoundUser }) {
  return (
    <tr>
      <th scope="row" class="any-length">
        <a class="row-link" href={`/users/${encodeURIComponent(user.userId)}`}>
          {user.email ?? user.userId}
        </a>
        {user.email && <code class="note block">{user.userId}</code>}
      </th>
      <td>
        <AccountBadge status={user.status} />
        {(user.debt ?? 0) > 0 && <Badge tone="bad">owes {number(user.debt ?? 0)}</Badge>}
      </td>
      <td class="end">
        {user.credits === null ? <span class="note">none</span> : number(user.credits)}
      </td>
      <td class="wide-cell nowrap">
        {user.createdAt ? <When iso={user.createdAt} /> : <span class="note">–</span>}
      </td>
    </tr>
  );
}
