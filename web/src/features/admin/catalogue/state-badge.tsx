/** Whether a document of the catalogue is on offer, or what is wrong with it. */
import type { CatalogueDocument } from "../../../api/admin-types";
import { Badge } from "../../../ui/badge";

export function StateBadge({ document: { document, problems } }: { document: CatalogueDocument }) {
  if (problems.length > 0) {
    return (
      <>
        <Badge tone="bad">broken</Badge>
        {problems.map(({ field, description }) => (
          <span key={field} class="note block problem">
            {field && `${field.replace(/^document\./, "")}: `}
            {description}
          </span>
        ))}
      </>
    );
  }
  return document.enabled === false ? (
    <Badge tone="neutral">disabled</Badge>
  ) : (
    <Badge tone="good">on offer</Badge>
  );
}
