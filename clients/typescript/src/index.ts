/** Calls of imagegen's functions. `imagegen-client/firestore` follows generation requests. */
export { type Client, imagegen, type Options } from "./client.js";
export {
  type Failure,
  type FailureOf,
  type ImagegenError,
  imagegenError,
  isImagegenError,
  type Reason,
} from "./errors.js";
export {
  type Body,
  type Catalogue,
  type CreditLot,
  type FunctionName,
  type GenerationRequest,
  isOpen,
  type LedgerEntry,
  type Mode,
  type Product,
  type Purchase,
  type Reply,
  type Schemas,
  type Status,
  type UserCredits,
} from "./types.js";
