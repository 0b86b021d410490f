/** The kinds of documents in the catalogue, and their fields. */
import type { CatalogueFields, CatalogueKind } from "../../../api/admin-types";

export interface KnownField {
  name: string;
  label: string;
  type: "text" | "number" | "boolean" | "names" | "choice";
  options?: readonly string[];
  hint?: string;
  required?: boolean;
  /** Whether it takes a whole row. */
  wide?: boolean;
}

const DESCRIPTION: KnownField = {
  name: "description",
  label: "Description",
  type: "text",
  wide: true,
};
const PLACE: KnownField = {
  name: "sortOrder",
  label: "Place in the list",
  type: "number",
  hint: "small numbers first",
};
const ENABLED: KnownField = { name: "enabled", label: "On offer", type: "boolean" };
const ALIASES: KnownField = {
  name: "aliases",
  label: "Other names",
  type: "names",
  hint: "separated by commas",
};

export const KINDS: Record<
  CatalogueKind,
  { title: string; one: string; fields: readonly KnownField[]; initial: CatalogueFields }
> = {
  models: {
    title: "Models",
    one: "model",
    fields: [
      DESCRIPTION,
      {
        name: "generator",
        label: "Provider",
        type: "choice",
        options: ["mock", "openai", "gemini", "fal", "replicate"],
        required: true,
      },
      PLACE,
      ALIASES,
      ENABLED,
      {
        name: "background",
        label: "Runs in the background unless an order says otherwise",
        type: "boolean",
      },
    ],
    initial: { enabled: false, generator: "openai", sortOrder: 100 },
  },
  styles: {
    title: "Styles",
    one: "style",
    fields: [DESCRIPTION, PLACE, ALIASES, ENABLED],
    initial: { enabled: false, sortOrder: 100 },
  },
  colors: {
    title: "Colors",
    one: "color",
    fields: [DESCRIPTION, PLACE, ALIASES, ENABLED],
    initial: { enabled: false, sortOrder: 100 },
  },
  sizes: {
    title: "Sizes",
    one: "size",
    fields: [
      DESCRIPTION,
      { name: "credits", label: "Price in credits", type: "number", required: true },
      { name: "width", label: "Width", type: "number", hint: "pixels", required: true },
      { name: "height", label: "Height", type: "number", hint: "pixels", required: true },
      PLACE,
      ALIASES,
      ENABLED,
    ],
    initial: { enabled: false, sortOrder: 100 },
  },
  products: {
    title: "Products",
    one: "product",
    fields: [
      DESCRIPTION,
      {
        name: "kind",
        label: "Kind",
        type: "choice",
        options: ["purchase", "subscription", "promotional"],
        required: true,
      },
      { name: "credits", label: "Credits", type: "number", required: true },
      { name: "validDays", label: "Valid for", type: "number", hint: "days; empty: for ever" },
      { name: "stripePrice", label: "Price at Stripe", type: "text", hint: "its id" },
      { name: "revenueCatProduct", label: "Product at RevenueCat", type: "text", hint: "its id" },
      PLACE,
      ENABLED,
    ],
    initial: { enabled: false, kind: "purchase", sortOrder: 100 },
  },
};
export const ORDER = Object.keys(KINDS) as CatalogueKind[];

/** The list that a document is in. */
export const listOf = (kind: CatalogueKind): string => `/catalogue?kind=${kind}`;

export const isKind = (text: string): text is CatalogueKind => text in KINDS;
