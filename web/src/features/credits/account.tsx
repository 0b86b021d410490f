/** A balance with its chart and its ledger. */
import { useMemo, useState } from "preact/hooks";
import type { Credits, LedgerEntry } from "../../api/types";
import { Button } from "../../ui/button";
import { Failure } from "../../ui/failure";
import { number } from "../../ui/format";
import { Empty } from "../../ui/page";
import { Chart } from "./balance-chart";
import { balanceSeries, withBalances } from "./ledger";
import { LedgerTable } from "./ledger-table";
import { Lots } from "./lots";
import { useOlder } from "./older";
import { Purchases } from "./purchases";

const ROWS = 25;

export function Account({
  newest,
  userId,
  own,
}: {
  newest: Credits;
  userId: string;
  own: boolean;
}) {
  const older = useOlder(newest, userId);
  const { hasMore } = older;
  const [count, setCount] = useState(ROWS);
  const lines = useMemo(
    () => withBalances([...newest.transactions, ...older.entries], newest.currentCredits),
    [newest, older.entries],
  );
  const series = useMemo(() => balanceSeries(lines), [lines]);
  const sum = (type: LedgerEntry["type"]) =>
    lines.reduce((total, line) => total + (line.type === type ? line.credits : 0), 0);

  const showMore = () => {
    setCount(count + ROWS);
    if (count + ROWS > lines.length && hasMore) older.load.run();
  };

  return (
    <>
      <div class="tiles three">
        <Tile name="Balance" value={newest.currentCredits} strong />
        <Tile
          name="Charged"
          value={sum("deduction")}
          note={hasMore ? "in what is loaded" : "so far"}
        />
        <Tile
          name="Refunded"
          value={sum("refund")}
          note={hasMore ? "in what is loaded" : "so far"}
        />
      </div>
      <Lots answer={newest} own={own} />
      {lines.length === 0 ? (
        <Empty
          icon="credits"
          title="No entries yet"
          action={
            own && (
              <a class="button primary" href="/create">
                Create an image
              </a>
            )
          }
        >
          Charges, refunds and grants will appear here.
        </Empty>
      ) : (
        <>
          <section class="card" aria-labelledby="chart-title">
            <h2 id="chart-title">Balance over time</h2>
            <Chart
              series={series}
              label={`Balance from ${number(series[1][0] ?? 0)} to ${number(newest.currentCredits)} credits; the table below has every step.`}
            />
          </section>
          <section class="card flush" aria-labelledby="ledger-title">
            <h2 id="ledger-title">Ledger</h2>
            <LedgerTable lines={lines.slice(0, count)} screen={own ? "gallery" : "requests"} />
          </section>
          {older.load.error !== null && <Failure error={older.load.error} />}
          {(count < lines.length || hasMore) && (
            <div class="more">
              <Button busy={older.load.busy} onClick={showMore}>
                Show more
              </Button>
              <span class="note">
                {number(Math.min(count, lines.length))} of {number(lines.length)}
                {hasMore ? "+" : ""} entries
              </span>
            </div>
          )}
        </>
      )}
      {/* They are loaded later, and must not push down what is there. */}
      <Purchases userId={userId} own={own} />
    </>
  );
}

function Tile({
  name,
  value,
  note,
  strong,
}: {
  name: string;
  value: number;
  note?: string;
  strong?: boolean;
}) {
  return (
    <div class={`tile ${strong ? "strong" : ""}`}>
      <span class="tile-name">{name}</span>
      <span class="tile-value">{number(value)}</span>
      <span class="tile-note">{note ?? "credits now"}</span>
    </div>
  );
}
