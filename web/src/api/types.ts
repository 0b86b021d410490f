/** Short names for the generated types: schema.d.ts, which `npm run types` makes from openapi.json. */
import type { paths } from "./schema";

/** The functions that accept a POST with a JSON body. */
export type FunctionName = {
  [Path in keyof paths]: Path extends `/${infer Name}`
    ? paths[Path]["post"] extends { requestBody?: { content: { "application/json": unknown } } }
      ? Name
      : never
    : never;
}[keyof paths];

type Operation<Name extends FunctionName> = paths[`/${Name}`]["post"];

export type Body<Name extends FunctionName> =
  Operation<Name> extends { requestBody?: { content: { "application/json": infer Json } } }
    ? Json
    : never;

/** The body of a successful answer. */
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
export type Size = Catalogue["sizes"][number];
export type GenerationRequest = Reply<"getGenerationStatus">;
export type Status = GenerationRequest["status"];
export type Mode = GenerationRequest["mode"];
export type Credits = Reply<"getUserCredits">;
export type LedgerEntry = Credits["transactions"][number];

/** What the user chooses for an image. */
export type Order = Pick<
  Body<"createGenerationRequest">,
  "userId" | "model" | "style" | "color" | "size" | "prompt"
> & { mode: Mode };

export const isOpen = (status: Status): boolean => status === "pending" || status === "processing";
