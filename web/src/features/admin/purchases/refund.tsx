/** Notes a refund that a store has made and nobody has told of, or that there was none. */
import { admin, at } from "../../../api/admin";
import type { UserView } from "../../../api/admin-types";
import { Confirm } from "../../../ui/confirm";
import { credits } from "../../../ui/format";
import { Loading } from "../../../ui/loading";
import { notify } from "../../../ui/notices";
import { useResource } from "../../../ui/resource";
import type { Administered } from "./purchase";

export function Refund({ purchase, onClose, onDone }: Administered) {
  const { purchaseId, userId } = purchase;
  const owner = useResource(() => admin<UserView>("GET", at`/users/${userId}`), [userId]);
  const left =
    purchase.credits - purchase.clawedBackCredits - purchase.owedCredits - purchase.waivedCredits;
  return (
    <Confirm
      title="Note a refund"
      label={`Take back ${credits(left)}`}
      danger
      disabled={!owner.value}
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
      {owner.value ? (
        <Consequence credits={left} owner={owner.value} />
      ) : (
        <Loading resource={owner} height="4rem" />
      )}
    </Confirm>
  );
}

/** Only what was paid for is taken back; the rest is owed. */
function Consequence({ credits: left, owner }: { credits: number; owner: UserView }) {
  const { purchased = 0, subscription = 0 } = owner.balance?.totals ?? {};
  const taken = Math.min(left, purchased + subscription);
  const { userId } = owner.user;
  return (
    <p>
      The store has given the money back, and nobody has told: no money moves here. {credits(taken)}{" "}
      are taken back from {userId}
      {taken < left && `, and ${credits(left - taken)} are owed, as they are spent already`}.
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
