/** A balance with its chart and its ledger. */
import { useEffect, useMemo, useState } from "preact/hooks";
import { call } from "../../api/client";
import type { Credits, LedgerEntry } from "../../api/types";
import { Button } from "../../ui/button";
import { Failure } from "../../ui/failure";
import { number } from "../../ui/format";
import { useAction } from "../../ui/hooks";
import { Empty } from "../../ui/page";
import { Chart } from "./balance-chart";
import { balanceSeries, withBalances } from "./ledger";
import { LedgerTable } from "./ledger-table";
import { Lots } from "./lots";
import { Purchases } from "./purchases";

const PAGE = 25;

export function Account({
  newest,
  userId,
  own,
}: {
  newest: Credits;
  userId: string;
  own: boolean;
}) {
  const [older, setOlder] = useState<LedgerEntry[]>([]);
  const [token, setToken] = useState(newest.nextPageToken);
  const [count, setCount] = useState(PAGE);
  useEffect(() => {
    setOlder([]);
    setToken(newest.nextPageToken);
  }, [newest]);
  const lines = useMemo(
    () => withBalances([...newest.transactions, ...older], newest.currentCredits),
    [newest, older],
  );
  const series = useMemo(() => balanceSeries(lines), [lines]);
  const sum = (type: LedgerEntry["type"]) =>
    lines.reduce((total, line) => total + (line.type === type ? line.credits : 0), 0);

  const showMore = useAction(async () => {
    setCount(count + PAGE);
    if (count + PAGE <= lines.length || !token) return;
    const next = await call("getUserCredits", { userId, pageToken: token });
    setOlder((before) => [...before, ...next.transactions]);
    setToken(next.nextPageToken);
  });

  return (
    <>
      <div class="tiles three">
        <Tile name="Balance" value={newest.currentCredits} strong />
        <Tile
          name="Charged"
          value={sum("deduction")}
          note={token ? "in what is loaded" : "so far"}
        />
        <Tile name="Refunded" value={sum("refund")} note={token ? "in what is loaded" : "so far"} />
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
          {showMore.error !== null && <Failure error={showMore.error} />}
          {(count < lines.length || token) && (
            <div class="more">
              <Button busy={showMore.busy} onClick={showMore.run}>
                Show more
              </Button>
              <span class="note">
                {number(Math.min(count, lines.length))} of {number(lines.length)}
                {token ? "+" : ""} entries
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
