/** What the gallery can be filtered by: fields of the address's query and of listGenerationRequests. */
import type { Body } from "../../api/types";

export const FILTERS = ["status", "model", "style", "color", "size"] as const;
export type Filters = {
  [Name in (typeof FILTERS)[number]]?: NonNullable<Body<"listGenerationRequests">[Name]>;
};
