/** Notes a refund that a store has made and nobody has told of, or that there was none. */
import { admin, at } from "../../../api/admin";
import type { AdminPurchase, UserView } from "../../../api/admin-types";
import { Confirm } from "../../../ui/confirm";
import { credits } from "../../../ui/format";
import { Loading } from "../../../ui/loading";
import { notify } from "../../../ui/notices";
import { useResource } from "../../../ui/resource";
import { creditsLeft } from "./left";
import type { Administered } from "./purchase";

export function Refund({ purchase: { purchaseId, userId }, onClose, onDone }: Administered) {
  const now = useResource(() => load(purchaseId, userId), [purchaseId, userId]);
  const left = now.value ? creditsLeft(now.value.purchase) : 0;
  return (
    <Confirm
      title="Note a refund"
      label={now.value ? `Take back ${credits(left)}` : "Take back"}
      danger
      disabled={!now.value}
      onClose={onClose}
      onConfirm={async (reason) => {
        await admin("POST", at`/purchases/${purchaseId}/refund`, { reason });
        notify("The refund is noted.", async () => {
          await admin("DELETE", at`/purchases/${purchaseId}/refund`, {
            reason: `Undone: ${reason}`,
          });
          onDone();
        });
        onDone();
      }}
    >
      {now.value ? <Consequence {...now.value} /> : <Loading resource={now} height="4rem" />}
    </Confirm>
  );
}

interface Loaded {
  purchase: AdminPurchase;
  owner: UserView;
}

/** The owner first: that books what has expired by now, also of the purchase. */
async function load(purchaseId: string, userId: string): Promise<Loaded> {
  const owner = await admin<UserView>("GET", at`/users/${userId}`);
  return { owner, purchase: await admin<AdminPurchase>("GET", at`/purchases/${purchaseId}`) };
}

/** Only what was paid for is taken back; the rest is owed. */
function Consequence({ purchase, owner }: Loaded) {
  const { purchased = 0, subscription = 0 } = owner.balance?.totals ?? {};
  const left = creditsLeft(purchase);
  const taken = Math.min(left, purchased + subscription);
  const { expiredCredits } = purchase;
  return (
    <p>
      The store has given the money back, and nobody has told: no money moves here. {credits(taken)}{" "}
      are taken back from {owner.user.userId}
      {taken < left && `, and ${credits(left - taken)} are owed, as they are spent already`}
      {expiredCredits > 0 && `; ${credits(expiredCredits)} that have expired are not taken`}.
    </p>
  );
}

export function UndoRefund({ purchase, onClose, onDone }: Administered) {
  const { purchaseId, userId, clawedBackCredits, owedCredits } = purchase;
  return (
    <Confirm
      title="It was not refunded"
      label={`Give back ${credits(clawedBackCredits)}`}
      onClose={onClose}
      onConfirm={async (reason) => {
        await admin("DELETE", at`/purchases/${purchaseId}/refund`, { reason });
        notify("The purchase is paid again.");
        onDone();
      }}
    >
      <p>
        {credits(clawedBackCredits)} go back to {userId}
        {owedCredits > 0 && `, and ${credits(owedCredits)} are owed no more`}. No money moves here.
      </p>
    </Confirm>
  );
}
