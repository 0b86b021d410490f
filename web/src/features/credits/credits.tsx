/** A user's balance, chart and ledger, and the export of the ledger. */
import { isImagegenError } from "imagegen-client";
import { useEffect, useState } from "preact/hooks";
import { balance } from "../../api/balance";
import { call } from "../../api/client";
import { signedIn } from "../../api/session";
import type { Credits as Answer } from "../../api/types";
import { Button } from "../../ui/button";
import { explain } from "../../ui/explain";
import { Failure } from "../../ui/failure";
import { useAction, useLoaded, useTitle } from "../../ui/hooks";
import { Empty, PageHead, Skeleton } from "../../ui/page";
import { place, segment } from "../../ui/router";
import { Account } from "./account";
import { Buy } from "./buy";
import { exportHistory } from "./export";

export function Credits() {
  return segment() === "buy" ? <Buy /> : <Balance />;
}

function Balance() {
  useTitle("Credits");
  const me = signedIn();
  const userId = (me.isAdmin && place.value.query.get("user")) || me.uid;
  const own = userId === me.uid;
  // A new balance means new entries: they are loaded while the old ones stay on screen.
  const live = own ? balance.value : undefined;
  const loaded = useLoaded(() => call("getUserCredits", { userId, view: "full" }), [userId, live]);
  const [shown, setShown] = useState<{ userId: string; answer: Answer } | null>(null);
  useEffect(() => {
    if (loaded.state === "ready") setShown({ userId, answer: loaded.value });
  }, [loaded]);
  const answer = shown?.userId === userId ? shown.answer : null;
  const download = useAction(() => exportHistory(userId));

  return (
    <>
      <PageHead
        title="Credits"
        actions={
          <>
            <Button
              icon="download"
              busy={download.busy}
              disabled={!answer?.transactions.length}
              onClick={download.run}
            >
              Export CSV
            </Button>
            {own && (
              <a class="button primary" href="/credits/buy">
                Buy credits
              </a>
            )}
          </>
        }
      >
        {own ? "What you have, and every credit that came or went." : `The account of ${userId}.`}
      </PageHead>
      {download.error !== null && <Failure error={download.error} onRetry={download.run} />}
      {loaded.state === "failed" &&
        (isWithoutAccount(loaded.error) ? (
          <Empty icon="credits" title={explain(loaded.error).title}>
            {explain(loaded.error).text}
          </Empty>
        ) : (
          <Failure error={loaded.error} onRetry={loaded.retry} />
        ))}
      {!answer && loaded.state === "loading" && (
        <div class="card">
          <Skeleton height="20rem" />
        </div>
      )}
      {own && place.value.query.has("bought") && (
        <p class="banner good" role="status">
          Thank you. The credits appear here as soon as the payment is confirmed.
        </p>
      )}
      {answer && <Account newest={answer} userId={userId} own={own} />}
    </>
  );
}

const isWithoutAccount = (error: unknown): boolean =>
  isImagegenError(error) && error.reason === "USER_NOT_FOUND";
