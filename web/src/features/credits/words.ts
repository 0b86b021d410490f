/** What kinds of credits, and the states of purchases, are called. */
import type { CreditLot, Purchase } from "../../api/types";

export const KINDS: Record<CreditLot["kind"], string> = {
  allowance: "Monthly allowance",
  trial: "Trial",
  promotional: "Promotion",
  subscription: "Subscription",
  purchase: "Bought",
  grant: "Granted",
  opening: "Opening balance",
};

/** What a purchase's state means to the buyer, and the tone of its badge. */
export const PURCHASE_STATES: Record<Purchase["status"], { name: string; tone: string }> = {
  pending: { name: "not paid", tone: "neutral" },
  processing: { name: "payment on its way", tone: "wait" },
  failed: { name: "payment failed", tone: "bad" },
  expired: { name: "not paid", tone: "neutral" },
  unmatched: { name: "being checked", tone: "wait" },
  paid: { name: "paid", tone: "good" },
  partially_refunded: { name: "partly refunded", tone: "info" },
  refunded: { name: "refunded", tone: "neutral" },
  disputed: { name: "disputed", tone: "wait" },
  reinstated: { name: "paid again", tone: "good" },
};

/** "today", "in 1 day", "in 6 days". */
export function daysUntil(iso: string, now = Date.now()): string {
  const days = Math.floor((Date.parse(iso) - now) / 86_400_000);
  if (days < 1) return "today";
  return `in ${days} ${days === 1 ? "day" : "days"}`;
}
