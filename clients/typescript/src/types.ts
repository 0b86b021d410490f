/** What the functions take and answer, by short names. schema.ts is generated from openapi.json. */
import type { components, paths } from "./schema.js";

export type Schemas = components["schemas"];

/** The functions that an app calls. */
export const FUNCTIONS = [
  "createGenerationRequest",
  "getGenerationStatus",
  "listGenerationRequests",
  "cancelGenerationRequest",
  "deleteImage",
  "getUserCredits",
  "listModels",
  "listProducts",
  "createCheckoutSession",
  "createPortalSession",
  "listPurchases",
  "registerDevice",
  "unregisterDevice",
  "uploadSource",
] as const;
export type FunctionName = (typeof FUNCTIONS)[number];

/** The functions that change nothing: a call may be repeated. */
export const READS: ReadonlySet<FunctionName> = new Set([
  "getGenerationStatus",
  "listGenerationRequests",
  "getUserCredits",
  "listModels",
  "listProducts",
  "listPurchases",
]);

type Operation<Name extends FunctionName> = paths[`/${Name}`]["post"];

/** The fields of a call. */
export type Body<Name extends FunctionName> =
  Operation<Name> extends { requestBody?: { content: { "application/json": infer Json } } }
    ? Json
    : never;

/** The fields of a successful answer. */
export type Reply<Name extends FunctionName> =
  Operation<Name> extends { responses: infer Responses }
    ? {
        [Code in keyof Responses]: Code extends 200 | 202
          ? Responses[Code] extends { content: { "application/json": infer Json } }
            ? Json
            : never
          : never;
      }[keyof Responses]
    : never;

export type Catalogue = Reply<"listModels">;
export type GenerationRequest = Schemas["GenerationRequest"];
export type Status = GenerationRequest["status"];
export type Mode = GenerationRequest["mode"];
export type UserCredits = Reply<"getUserCredits">;
export type LedgerEntry = UserCredits["transactions"][number];
export type CreditLot = NonNullable<UserCredits["lots"]>[number];
export type Product = Reply<"listProducts">["products"][number];
export type Purchase = Reply<"listPurchases">["purchases"][number];

/** Whether a generation request has yet to end. */
export const isOpen = (status: Status): boolean => status === "pending" || status === "processing";
