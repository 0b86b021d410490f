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

/** The documents whose place changes when the one at `from` moves to `to`, with their new places. */
export function moved(
  documents: readonly CatalogueDocument[],
  from: number,
  to: number,
): CatalogueDocument[] {
  const order = [...documents];
  const [taken] = order.splice(from, 1);
  if (!taken || to < 0 || to > order.length) return [];
  order.splice(to, 0, taken);
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
