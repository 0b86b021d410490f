/** The balance, how it came about, and the file to take away. */
import { useEffect, useMemo, useState } from "preact/hooks";
import { call, type LedgerEntry, type Statement } from "../api";
import { Chart } from "../ui/balance-chart";
import { balanceSeries, csv, type Line, withBalances } from "../ledger";
import { dateTime, number } from "../format";
import { place } from "../router";
import { balance, signedIn } from "../session";
import { Badge, Button, Empty, Failure, PageHead, Skeleton, When } from "../ui/parts";
import { useLoaded, useTitle } from "../use";

const PAGE = 25;
const NAMES: Record<LedgerEntry["type"], string> = { deduction: "Charge", refund: "Refund", grant: "Grant" };
const TONES: Record<LedgerEntry["type"], string> = { deduction: "neutral", refund: "good", grant: "info" };

export function Credits() {
  useTitle("Credits");
  const me = signedIn();
  const userId = (me.isAdmin && place.value.query.get("user")) || me.uid;
  const own = userId === me.uid;
  // Another balance means new entries: the statement is asked for again, behind what is shown.
  const live = own ? balance.value : undefined;
  const loaded = useLoaded((signal) => call<Statement>("getUserCredits", { userId }, { signal }), [userId, live]);
  const [shown, setShown] = useState<{ userId: string; statement: Statement } | null>(null);
  useEffect(() => {
    if (loaded.state === "ready") setShown({ userId, statement: loaded.value });
  }, [loaded]);
  const statement = shown?.userId === userId ? shown.statement : null;
  const download = useDownload(userId);

  return (
    <>
      <PageHead
        title="Credits"
        actions={
          <Button icon="download" busy={download.busy} disabled={!statement?.transactions.length} onClick={download.start}>
            Export CSV
          </Button>
        }
      >
        {own ? "What you have, and every credit that came or went." : `The account of ${userId}.`}
      </PageHead>
      {download.error !== null && <Failure error={download.error} onRetry={download.start} />}
      {loaded.state === "failed" && <Failure error={loaded.error} onRetry={loaded.retry} />}
      {!statement && loaded.state === "loading" && (
        <div class="card">
          <Skeleton height="20rem" />
        </div>
      )}
      {statement && <Account statement={statement} userId={userId} />}
    </>
  );
}

function Account({ statement, userId }: { statement: Statement; userId: string }) {
  const [older, setOlder] = useState<LedgerEntry[]>([]);
  const [token, setToken] = useState(statement.nextPageToken);
  const [count, setCount] = useState(PAGE);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  useEffect(() => {
    setOlder([]);
    setToken(statement.nextPageToken);
  }, [statement]);
  const lines = useMemo(() => withBalances([...statement.transactions, ...older], statement.currentCredits), [statement, older]);
  const series = useMemo(() => balanceSeries(lines), [lines]);
  const sum = (type: LedgerEntry["type"]) => lines.reduce((total, line) => total + (line.type === type ? line.credits : 0), 0);

  const showMore = async () => {
    setCount(count + PAGE);
    if (count + PAGE <= lines.length || !token) return;
    setBusy(true);
    setError(null);
    try {
      const next = await call<Statement>("getUserCredits", { userId, pageToken: token });
      setOlder((before) => [...before, ...next.transactions]);
      setToken(next.nextPageToken);
    } catch (failure) {
      setError(failure);
    }
    setBusy(false);
  };

  return (
    <>
      <div class="tiles three">
        <Tile name="Balance" value={statement.currentCredits} strong />
        <Tile name="Charged" value={sum("deduction")} note={token ? "in what is loaded" : "so far"} />
        <Tile name="Refunded" value={sum("refund")} note={token ? "in what is loaded" : "so far"} />
      </div>
      {lines.length === 0 ? (
        <Empty icon="credits" title="No entries yet" action={<a class="button primary" href="/create">Create an image</a>}>
          The first charge, refund or grant will stand here.
        </Empty>
      ) : (
        <>
          <section class="card" aria-labelledby="chart-title">
            <h2 id="chart-title">Balance over time</h2>
            <Chart series={series} label={`Balance from ${number(series[1][0] ?? 0)} to ${number(statement.currentCredits)} credits; the table below has every step.`} />
          </section>
          <section class="card flush" aria-labelledby="ledger-title">
            <h2 id="ledger-title">Ledger</h2>
            <div class="table-scroll" tabIndex={0} role="group" aria-labelledby="ledger-title">
              <table class="ledger">
                <thead>
                  <tr>
                    <th scope="col">When</th>
                    <th scope="col">What</th>
                    <th scope="col">Request</th>
                    <th scope="col" class="end">
                      Credits
                    </th>
                    <th scope="col" class="end">
                      Balance
                    </th>
                  </tr>
                </thead>
                <tbody>
                  {lines.slice(0, count).map((line) => (
                    <Row key={line.id} line={line} />
                  ))}
                </tbody>
              </table>
            </div>
          </section>
          {error !== null && <Failure error={error} />}
          {(count < lines.length || token) && (
            <div class="more">
              <Button busy={busy} onClick={() => void showMore()}>
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
    </>
  );
}

function Tile({ name, value, note, strong }: { name: string; value: number; note?: string; strong?: boolean }) {
  return (
    <div class={`tile ${strong ? "strong" : ""}`}>
      <span class="tile-name">{name}</span>
      <span class="tile-value">{number(value)}</span>
      <span class="tile-note">{note ?? "credits now"}</span>
    </div>
  );
}

function Row({ line }: { line: Line }) {
  const id = line.generationRequestId;
  return (
    <tr>
      <td class="nowrap">
        <When iso={line.timestamp} />
      </td>
      <td>
        <Badge tone={TONES[line.type]}>{NAMES[line.type]}</Badge>
      </td>
      <td>
        {id ? (
          <a href={`/gallery/${encodeURIComponent(id)}`} title={`${id}, ${dateTime(line.timestamp)}`}>
            <code>{id.length > 14 ? `${id.slice(0, 12)}…` : id}</code>
          </a>
        ) : (
          <span class="note">–</span>
        )}
      </td>
      <td class={`end tabular ${line.change > 0 ? "gain" : ""}`}>
        {line.change > 0 ? "+" : "−"}
        {number(Math.abs(line.change))}
      </td>
      <td class="end tabular">{number(line.balanceAfter)}</td>
    </tr>
  );
}

/** The whole history as a file, however many pages it has. */
function useDownload(userId: string): { busy: boolean; error: unknown; start: () => void } {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const start = async () => {
    setBusy(true);
    setError(null);
    try {
      const entries: LedgerEntry[] = [];
      let current: number | undefined;
      let pageToken: string | undefined;
      do {
        const page: Statement = await call("getUserCredits", { userId, ...(pageToken && { pageToken }) });
        current ??= page.currentCredits; // the balance of the newest page; later ones may be newer
        entries.push(...page.transactions);
        pageToken = page.nextPageToken;
      } while (pageToken);
      save(csv(withBalances(entries, current)), `credits-${userId}.csv`);
    } catch (failure) {
      setError(failure);
    }
    setBusy(false);
  };
  return { busy, error, start: () => void start() };
}

function save(text: string, name: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: "text/csv" }));
  link.download = name;
  link.click();
  URL.revokeObjectURL(link.href);
}
