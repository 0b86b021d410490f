/** What a refund of a purchase takes back. */
import type { AdminPurchase } from "../../../api/admin-types";

/** Credits of a purchase that a whole refund still takes back; what has expired is not taken. */
export const creditsLeft = (purchase: AdminPurchase): number =>
  Math.max(
    0,
    purchase.credits -
      purchase.expiredCredits -
      purchase.clawedBackCredits -
      purchase.owedCredits -
      purchase.waivedCredits,
  );
