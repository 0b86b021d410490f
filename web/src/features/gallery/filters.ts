/** The filters of the gallery: query parameters of the page, and fields of listGenerationRequests. */
import type { Body } from "../../api/types";

export const FILTERS = ["status", "model", "style", "color", "size"] as const;
export type Filters = {
  [Name in (typeof FILTERS)[number]]?: NonNullable<Body<"listGenerationRequests">[Name]>;
};
