/** The user's purchases with their state, and the way to the payment provider's portal. */
import { isImagegenError } from "imagegen-client";
import { call } from "../../api/client";
import type { Purchase } from "../../api/types";
import { Badge } from "../../ui/badge";
import { Button } from "../../ui/button";
import { Failure } from "../../ui/failure";
import { credits, number, price } from "../../ui/format";
import { useAction, useWhileShown } from "../../ui/hooks";
import { TableScroll } from "../../ui/table-scroll";
import { ExactTime } from "../../ui/when";
import { usePurchases } from "./purchase-list";
import { PURCHASE_STATES } from "./words";

export function Purchases({ userId, own }: { userId: string; own: boolean }) {
  const { items: purchases, error, more, reload } = usePurchases(userId, own);
  const whileShown = useWhileShown();
  const portal = useAction(async () => {
    const returnUrl = `${location.origin}/credits`;
    const { url } = await call("createPortalSession", { userId, returnUrl });
    if (!whileShown.aborted) location.assign(url);
  });
  // Where nothing is sold, this part of the screen is left out.
  if (error !== null) return isOff(error) ? null : <Failure error={error} onRetry={reload} />;
  if (!purchases?.length) return null;
  const atStripe = purchases.some((each) => each.provider === "stripe");
  return (
    <section class="card flush" aria-labelledby="purchases-title">
      <div class="card-head flush-head">
        <h2 id="purchases-title">Purchases</h2>
        {own && atStripe && (
          <Button small busy={portal.busy} onClick={portal.run}>
            Invoices and subscriptions
          </Button>
        )}
      </div>
      {portal.error !== null && <Failure error={portal.error} />}
      <TableScroll labelledBy="purchases-title">
        <table class="purchases">
          <thead>
            <tr>
              <th scope="col">When</th>
              <th scope="col">Product</th>
              <th scope="col">State</th>
              <th scope="col" class="end wide-cell">
                Price
              </th>
              <th scope="col" class="end wide-cell">
                Credits
              </th>
            </tr>
          </thead>
          <tbody>
            {purchases.map((purchase) => (
              <Row key={purchase.purchaseId} purchase={purchase} own={own} />
            ))}
          </tbody>
        </table>
      </TableScroll>
      {more && more.error !== null && <Failure error={more.error} />}
      {more && (
        <div class="more padded">
          <Button busy={more.busy} onClick={() => more.run()}>
            Show more
          </Button>
        </div>
      )}
    </section>
  );
}

function Row({ purchase, own }: { purchase: Purchase; own: boolean }) {
  const { name, tone } = PURCHASE_STATES[purchase.status];
  const { amount, currency, clawedBackCredits, owedCredits } = purchase;
  return (
    <tr>
      <td>
        {own ? (
          <ExactTime iso={purchase.createdAt} />
        ) : (
          <a href={`/purchases/${encodeURIComponent(purchase.purchaseId)}`}>
            <ExactTime iso={purchase.createdAt} />
          </a>
        )}
      </td>
      <td class="any-length">
        {purchase.productId || "–"}
        <span class="note narrow-only nowrap">{credits(purchase.credits)}</span>
        <span class="note narrow-only nowrap">{price(amount, currency)}</span>
      </td>
      <td>
        <Badge tone={tone}>{name}</Badge>
        {clawedBackCredits > 0 && (
          <span class="note block">{credits(clawedBackCredits)} taken back</span>
        )}
        {owedCredits > 0 && <span class="note block">{credits(owedCredits)} owed</span>}
      </td>
      <td class="end nowrap wide-cell">{price(amount, currency)}</td>
      <td class="end wide-cell">{number(purchase.credits)}</td>
    </tr>
  );
}

const isOff = (error: unknown): boolean =>
  isImagegenError(error) && error.reason === "PAYMENTS_OFF";
