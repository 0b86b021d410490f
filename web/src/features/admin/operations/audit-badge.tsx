/** How an audit has ended, or that it runs. */
import type { Audit } from "../../../api/admin-types";
import { Badge } from "../../../ui/badge";
import { number } from "../../../ui/format";

export function AuditBadge({ audit: { status, findingCount, warningCount } }: { audit: Audit }) {
  if (status === "running") return <Badge tone="wait">running</Badge>;
  if (status === "failed") return <Badge tone="bad">did not finish</Badge>;
  const wrong = findingCount - warningCount;
  return (
    <span class="entry">
      {wrong > 0 && <Badge tone="bad">{counted(wrong, "finding")}</Badge>}
      {warningCount > 0 && <Badge tone="wait">{counted(warningCount, "warning")}</Badge>}
      {findingCount === 0 && <Badge tone="good">all books balance</Badge>}
    </span>
  );
}

const counted = (count: number, one: string): string =>
  count === 1 ? `1 ${one}` : `${number(count)} ${one}s`;
