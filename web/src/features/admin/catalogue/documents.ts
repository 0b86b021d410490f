/** What the editor of the catalogue does with documents. */
import type { CatalogueDocument, CatalogueFields } from "../../../api/admin-types";
import type { KnownField } from "./kinds";

/** The fields that the form has no fields of its own for, as JSON. */
export function otherFields(document: CatalogueFields, known: readonly KnownField[]): string {
  const names = new Set(known.map(({ name }) => name));
  const others = Object.entries(document).filter(([name]) => !names.has(name));
  return others.length === 0 ? "" : JSON.stringify(Object.fromEntries(others), null, 2);
}

/** The document that a form describes. Throws SyntaxError if `others` is no JSON object. */
export function documentOf(
  known: CatalogueFields,
  others: string,
  fields: readonly KnownField[],
): CatalogueFields {
  const rest: unknown = others.trim() ? JSON.parse(others) : {};
  if (typeof rest !== "object" || rest === null || Array.isArray(rest))
    throw new SyntaxError("The other fields have to be one JSON object.");
  const names = new Set(fields.map(({ name }) => name));
  const twice = Object.keys(rest).find((name) => names.has(name));
  if (twice) throw new SyntaxError(`${twice} has a field of its own above.`);
  const given = Object.entries(known).filter(
    ([name, value]) => names.has(name) && value !== undefined && value !== "",
  );
  return { ...Object.fromEntries(given), ...rest };
}

/** A value in words: "yes", "3", "—" for none. */
export function shown(value: unknown): string {
  if (value === undefined || value === null) return "—";
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (typeof value === "string") return value || "“”";
  return JSON.stringify(value);
}

const place = ({ document }: CatalogueDocument): number =>
  typeof document.sortOrder === "number" ? document.sortOrder : 0;

/** By their place, then by name, as apps show them. */
export const sorted = (documents: readonly CatalogueDocument[]): CatalogueDocument[] =>
  [...documents].sort(
    (one, other) => place(one) - place(other) || (one.name < other.name ? -1 : 1),
  );

/**
 * The documents whose place changes when `name` moves to the place of `to`, with their new places;
 * none if one of the two is not among them.
 */
export function moved(
  documents: readonly CatalogueDocument[],
  name: string,
  to: string,
): CatalogueDocument[] {
  const target = documents.findIndex((each) => each.name === to);
  const order = documents.filter((each) => each.name !== name);
  const taken = documents.find((each) => each.name === name);
  if (!taken || target < 0) return [];
  order.splice(target, 0, taken);
  const places = documents.map(place);
  // The places stay, and other documents have them; where two are equal, all are numbered anew.
  const distinct = places.every((each, index) => index === 0 || each > (places[index - 1] ?? each));
  return order.flatMap((each, index) => {
    const sortOrder = distinct ? places[index] : 10 * (index + 1);
    return sortOrder === each.document.sortOrder
      ? []
      : [{ ...each, document: { ...each.document, sortOrder } }];
  });
}
