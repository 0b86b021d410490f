/** How somebody gets credits whose balance does not cover the price. */
import { useLoaded } from "../../ui/hooks";
import { productsSoldHere } from "../credits/products";

export function Refill({ hasAccount }: { hasAccount: boolean }) {
  const sold = useLoaded(productsSoldHere, []);
  if (sold.state === "loading") return null;
  // Where nothing is sold, the call is refused.
  const isSold = sold.state === "ready" && sold.value.length > 0;
  return (
    <p class="note">
      {!hasAccount && "You have no credits yet. "}
      {isSold ? <a href="/credits/buy">Buy credits</a> : "An administrator can grant credits"}
      {hasAccount ? ", or choose a smaller size." : "."}
    </p>
  );
}
