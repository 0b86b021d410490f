/** The screen that sells credits. The payment provider knows the prices, and shows them. */
import { call } from "../../api/client";
import { signedIn } from "../../api/session";
import type { Product } from "../../api/types";
import { Button } from "../../ui/button";
import { Failure } from "../../ui/failure";
import { credits, number } from "../../ui/format";
import { useAction, useLoaded, useTitle, useWhileShown } from "../../ui/hooks";
import { Empty, PageHead, Skeleton } from "../../ui/page";
import { productsSoldHere } from "./products";

export function Buy() {
  useTitle("Buy credits");
  const loaded = useLoaded(productsSoldHere, []);
  return (
    <>
      <PageHead
        title="Buy credits"
        actions={
          <a class="button plain" href="/credits">
            Your balance
          </a>
        }
      >
        The next page shows the price and takes the payment. The credits are yours once it is
        confirmed.
      </PageHead>
      {loaded.state === "loading" && <Skeleton height="12rem" />}
      {loaded.state === "failed" && <Failure error={loaded.error} onRetry={loaded.retry} />}
      {loaded.state === "ready" && <Products products={loaded.value} />}
    </>
  );
}

function Products({ products }: { products: Product[] }) {
  const me = signedIn();
  const whileShown = useWhileShown();
  const buy = useAction(async (productId: string) => {
    const { origin } = location;
    const { url } = await call("createCheckoutSession", {
      userId: me.uid,
      productId,
      successUrl: `${origin}/credits?bought=${encodeURIComponent(productId)}`,
      cancelUrl: `${origin}/credits/buy`,
    });
    if (!whileShown.aborted) location.assign(url);
  });
  if (products.length === 0) {
    return (
      <Empty icon="credits" title="Nothing is on offer here">
        An administrator can grant credits.
      </Empty>
    );
  }
  return (
    <>
      {buy.error !== null && <Failure error={buy.error} />}
      <ul class="products">
        {products.map((product) => (
          <li class="card product" key={product.id}>
            <h2 class="product-credits">
              <strong>{number(product.credits)}</strong> credits
              {product.kind === "subscription" && " each period"}
            </h2>
            {product.description !== credits(product.credits) && <p>{product.description}</p>}
            <p class="note">{validity(product)}</p>
            <Button
              kind="primary"
              busy={buy.busy && buy.argument === product.id}
              disabled={buy.busy}
              onClick={() => buy.run(product.id)}
              aria-label={`Buy ${product.description || credits(product.credits)}`}
            >
              {product.kind === "subscription" ? "Subscribe" : "Buy"}
            </Button>
          </li>
        ))}
      </ul>
    </>
  );
}

export function validity({ kind, validDays }: Product): string {
  if (kind === "subscription")
    return "Renewed until you end it. Each period’s credits last to its end.";
  return validDays === null ? "They never expire." : `They expire ${number(validDays)} days later.`;
}
