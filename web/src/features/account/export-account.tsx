/** Everything that is stored about the user, as one file. */
import { useState } from "preact/hooks";
import { call } from "../../api/client";
import { written } from "../../api/exports";
import type { Reply } from "../../api/types";
import { Button } from "../../ui/button";
import { Failure } from "../../ui/failure";
import { dateTime } from "../../ui/format";
import { useAction, useWhileShown } from "../../ui/hooks";
import { Icon } from "../../ui/icons";

export function ExportAccount() {
  const [ready, setReady] = useState<Reply<"exportAccount"> | null>(null);
  const whileShown = useWhileShown();
  const write = useAction(async () => {
    setReady(await written(() => call("exportAccount", {}), whileShown));
  });
  return (
    <section class="card" aria-labelledby="export-title">
      <h2 id="export-title">Export your data</h2>
      <p class="note account-note">
        Your account, its history, your requests with the addresses of their images, purchases and
        devices, as one JSON file.
      </p>
      {write.error !== null && <Failure error={write.error} onRetry={write.run} />}
      <div class="actions">
        {ready?.url ? (
          <a class="button primary" href={ready.url} target="_blank" rel="noreferrer">
            <Icon name="download" /> Open the file
          </a>
        ) : (
          <Button icon="download" busy={write.busy} onClick={() => write.run()}>
            {write.busy ? "The file is being written" : "Export my data"}
          </Button>
        )}
        {ready?.expiresAt && (
          <span class="note">
            Whoever has its address can open it. It is deleted on {dateTime(ready.expiresAt)}.
          </span>
        )}
      </div>
    </section>
  );
}
