/** The purchases of all users. */
import { admin, at } from "../../../api/admin";
import type { AdminPurchase, AdminPurchasePage } from "../../../api/admin-types";
import { Badge } from "../../../ui/badge";
import { ChoiceFilter, ClearFilters, filtered, TextFilter } from "../../../ui/filters";
import { credits, number, price } from "../../../ui/format";
import { useTitle } from "../../../ui/hooks";
import { Listing } from "../../../ui/listing";
import { Empty, PageHead } from "../../../ui/page";
import { PagedList, usePaged } from "../../../ui/paged";
import { ExactTime } from "../../../ui/when";
import { PURCHASE_STATES } from "../../credits/words";

const FILTERS = ["status", "userId"] as const;
const STATUSES = Object.keys(PURCHASE_STATES);

export function Purchases() {
  useTitle("Purchases");
  const filters = Object.fromEntries(FILTERS.map((name) => [name, filtered(name)]));
  const list = usePaged<AdminPurchase>(
    async (pageToken) => {
      const page = await admin<AdminPurchasePage>("GET", "/purchases", {
        ...filters,
        pageToken,
        pageSize: 25,
      });
      return { items: page.purchases, nextPageToken: page.nextPageToken };
    },
    [JSON.stringify(filters)],
  );
  return (
    <>
      <PageHead
        title="Purchases"
        actions={
          <a class="button plain" href="/purchases?status=unmatched">
            Unmatched payments
          </a>
        }
      >
        What all users have bought, newest first.
      </PageHead>
      <div class="filters" role="search" aria-label="Filters">
        <ChoiceFilter name="status" options={STATUSES} />
        <TextFilter name="userId" label="User id" />
        <ClearFilters names={FILTERS} />
      </div>
      <PagedList
        list={list}
        empty={
          <Empty
            icon="purchases"
            title={
              filters.status === "unmatched"
                ? "Every payment has its purchase"
                : Object.values(filters).some(Boolean)
                  ? "Nothing matches"
                  : "No purchases yet"
            }
          />
        }
      >
        {(purchases) => (
          <Listing
            label="Purchases"
            head={
              <>
                <th scope="col">When</th>
                <th scope="col" class="wide-cell">
                  User
                </th>
                <th scope="col">State</th>
                <th scope="col" class="end wide-cell">
                  Price
                </th>
                <th scope="col" class="end">
                  Credits
                </th>
              </>
            }
          >
            {purchases.map((purchase) => (
              <Row key={purchase.purchaseId} purchase={purchase} />
            ))}
          </Listing>
        )}
      </PagedList>
    </>
  );
}

function Row({ purchase }: { purchase: AdminPurchase }) {
  const { name, tone } = PURCHASE_STATES[purchase.status];
  const { amount, currency, userId, owedCredits } = purchase;
  return (
    <tr>
      <th scope="row">
        <a class="row-link" href={at`/purchases/${purchase.purchaseId}`}>
          <ExactTime iso={purchase.createdAt} />
        </a>
        <span class="note block any-length">{purchase.productId || "no product"}</span>
        <span class="note narrow-only any-length">{userId || "nobody"}</span>
      </th>
      <td class="any-length wide-cell">
        {userId ? (
          <a class="above" href={at`/users/${userId}`}>
            {userId}
          </a>
        ) : (
          <span class="note">nobody</span>
        )}
      </td>
      <td>
        <Badge tone={tone}>{name}</Badge>
        {owedCredits > 0 && <span class="note block">{credits(owedCredits)} owed</span>}
      </td>
      <td class="end nowrap wide-cell">{price(amount, currency)}</td>
      <td class="end">{number(purchase.credits)}</td>
    </tr>
  );
}
