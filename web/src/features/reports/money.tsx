/** Revenue, credits by kind and what users could still spend; older reports have none. */
import type { CreditsOfKind, Report, Revenue } from "../../api/report";
import { money, number } from "../../ui/format";
import { TableScroll } from "../../ui/table-scroll";
import { KINDS } from "../credits/words";

const SUMS = ["gross", "refunded", "disputed", "net"] as const;
const FLOWS: readonly { name: string; of: (row: CreditsOfKind) => number }[] = [
  { name: "Sold", of: (row) => row.sold },
  { name: "Granted", of: (row) => row.granted },
  { name: "Spent", of: (row) => row.charged - row.refunded },
  { name: "Expired", of: (row) => row.expired },
  { name: "Taken back", of: (row) => row.clawedBack - row.reinstated },
];
const NONE: CreditsOfKind = {
  sold: 0,
  granted: 0,
  charged: 0,
  refunded: 0,
  expired: 0,
  clawedBack: 0,
  reinstated: 0,
};

export function Money({ report }: { report: Report }) {
  const { revenue, creditsByKind, liability } = report;
  if (!revenue && !creditsByKind && !liability) return null;
  return (
    <section class="money" aria-labelledby="money">
      <h2 id="money">Money and credits</h2>
      {revenue && <RevenueTable rows={revenue} />}
      <Kinds flows={creditsByKind ?? {}} outstanding={liability?.byKind} />
      {liability && (
        <p class="note">
          At the end of the week, {number(liability.paid)} paid and {number(liability.free)} free
          credits could still be spent.
        </p>
      )}
    </section>
  );
}

function RevenueTable({ rows }: { rows: readonly Revenue[] }) {
  return (
    <section class="card flush" aria-labelledby="revenue">
      <h3 id="revenue">Revenue</h3>
      {rows.length === 0 ? (
        <p class="note padded">Nothing was bought.</p>
      ) : (
        <TableScroll labelledBy="revenue">
          <table>
            <thead>
              <tr>
                <th scope="col">Product</th>
                <th scope="col" class="end">
                  Purchases
                </th>
                <th scope="col" class="end">
                  Credits
                </th>
                {SUMS.map((name) => (
                  <th scope="col" class="end" key={name}>
                    {name[0]?.toUpperCase() + name.slice(1)}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {rows.map((row) => (
                <tr key={`${row.productId} ${row.currency} ${row.isTest}`}>
                  <th scope="row">
                    {row.productId || "unknown"}
                    {row.isTest && <span class="note"> test</span>}
                  </th>
                  <td class="end tabular">{number(row.purchases)}</td>
                  <td class="end tabular">{number(row.credits)}</td>
                  {SUMS.map((name) => (
                    <td class="end tabular nowrap" key={name}>
                      {row.currency ? money(row[name], row.currency) : number(row[name])}
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </TableScroll>
      )}
    </section>
  );
}

function Kinds({
  flows,
  outstanding,
}: {
  flows: Record<string, CreditsOfKind>;
  outstanding: Record<string, number> | undefined;
}) {
  const kinds = [...new Set([...Object.keys(flows), ...Object.keys(outstanding ?? {})])].sort();
  if (kinds.length === 0) return null;
  return (
    <section class="card flush" aria-labelledby="credits-by-kind">
      <h3 id="credits-by-kind">Credits by kind</h3>
      <TableScroll labelledBy="credits-by-kind">
        <table>
          <thead>
            <tr>
              <th scope="col">Kind</th>
              {[...FLOWS.map(({ name }) => name), "Outstanding"].map((name) => (
                <th scope="col" class="end" key={name}>
                  {name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {kinds.map((kind) => (
              <tr key={kind}>
                <th scope="row">{(KINDS as Record<string, string>)[kind] ?? kind}</th>
                {FLOWS.map(({ name, of }) => (
                  <td class="end tabular" key={name}>
                    {number(of(flows[kind] ?? NONE))}
                  </td>
                ))}
                <td class="end tabular">{outstanding ? number(outstanding[kind] ?? 0) : "–"}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </TableScroll>
    </section>
  );
}
