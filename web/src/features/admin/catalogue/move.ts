/** Moves a document of the catalogue to another place in its list. */
import { admin, at } from "../../../api/admin";
import type { CatalogueChange, CatalogueKind, FullCatalogue } from "../../../api/admin-types";
import { moved, sorted } from "./documents";

/**
 * Moves the document `name` to the place of the document `to`, and tells the actions that undo it.
 * A document is stored whole, so what is stored now is read first: other fields may have changed
 * since the list was shown. Nothing is done if one of the two is gone.
 */
export async function moveDocument(
  kind: CatalogueKind,
  name: string,
  to: string,
): Promise<string[]> {
  const catalogue = await admin<FullCatalogue>("GET", "/catalogue");
  const actions: string[] = [];
  for (const { name: changed, document } of moved(sorted(catalogue[kind]), name, to)) {
    const { actionId } = await admin<CatalogueChange>("PUT", at`/${kind}/${changed}`, {
      document,
      reason: "Moved in the list.",
    });
    if (actionId) actions.push(actionId);
  }
  return actions;
}
