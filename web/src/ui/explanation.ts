/** What a failed call is explained with. */
export interface Explanation {
  title: string;
  text: string;
  /** Credits that were refunded; 0 when none had been charged. */
  refunded: number;
  /** Whether sending the same request again can succeed. */
  retryable: boolean;
  generationRequestId: string | null;
}

export type Words = Pick<Explanation, "title" | "text"> & Partial<Explanation>;

/**
 * What trying again does if the first call was carried out: an `order` is charged once, as is what
 * else is `safe` done once; whoever calls anything else has to `look`.
 */
export type Again = "order" | "safe" | "look";
