/** The types of the API, and those that only the console has. */
import type { Body, Mode, Reply } from "imagegen-client";

export {
  type Body,
  type Catalogue,
  type CreditLot,
  type GenerationRequest,
  isOpen,
  type LedgerEntry,
  type Mode,
  type Product,
  type Purchase,
  type Reply,
  type Status,
} from "imagegen-client";

export type Size = Reply<"listModels">["sizes"][number];
export type Credits = Reply<"getUserCredits">;

/** What the user chooses for an image. */
export type Order = Pick<
  Body<"createGenerationRequest">,
  "userId" | "model" | "style" | "color" | "size" | "prompt"
> & { mode: Mode };
