/** What the balance consists of: the lots, in the order in which they are spent. */
import type { Credits } from "../../api/types";
import { Badge } from "../../ui/badge";
import { credits, date, number } from "../../ui/format";
import { TableScroll } from "../../ui/table-scroll";
import { daysUntil, KINDS } from "./words";

export function Lots({ answer, own }: { answer: Credits; own: boolean }) {
  const { lots = [], nextExpiry, debt = 0 } = answer;
  if (lots.length === 0 && debt === 0) return null;
  const expiring = lots.some((lot) => lot.expiresAt);
  return (
    <section class="card flush" aria-labelledby="lots-title">
      <h2 id="lots-title">{own ? "What you have" : "What the user has"}</h2>
      <div class="padded lots-note">
        {debt > 0 && (
          <p class="banner" role="status">
            {credits(debt)} owed: money for credits that were spent already was returned. Nothing
            can be created until the next purchase has paid for them.
          </p>
        )}
        <p class="note" data-testid="next-expiry">
          {nextExpiry ? (
            <>
              <strong>{credits(nextExpiry.credits)}</strong> expire{" "}
              {daysUntil(nextExpiry.expiresAt)}, on {date(nextExpiry.expiresAt)}.
            </>
          ) : (
            "Nothing expires."
          )}{" "}
          {lots.length > 1 && "They are spent from the top."}
        </p>
      </div>
      {lots.length > 0 && (
        <TableScroll labelledBy="lots-title">
          <table class="lots">
            <thead>
              <tr>
                <th scope="col">Kind</th>
                <th scope="col" class="end">
                  Left
                </th>
                <th scope="col">Expires</th>
              </tr>
            </thead>
            <tbody>
              {lots.map((lot) => (
                <tr key={lot.id}>
                  <th scope="row">{KINDS[lot.kind]}</th>
                  <td class="end">{number(lot.remaining)}</td>
                  <td>
                    {lot.expiresAt ? (
                      <time dateTime={lot.expiresAt}>{date(lot.expiresAt)}</time>
                    ) : (
                      <span class="note">never</span>
                    )}
                    {expiring && lot.expiresAt === nextExpiry?.expiresAt && (
                      <>
                        {" "}
                        <Badge tone="wait">next</Badge>
                      </>
                    )}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </TableScroll>
      )}
    </section>
  );
}
