/** What is sold on the web. */
import { call } from "../../api/client";
import type { Product } from "../../api/types";

/** The products on offer here: what has no price at Stripe is sold in the app stores only. */
export async function productsSoldHere(): Promise<Product[]> {
  const { products } = await call("listProducts", {});
  return products.filter((product) => product.stripePrice !== null);
}
