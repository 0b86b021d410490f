/** Recovery and weekly reports, run now instead of when they are scheduled. */
import { useState } from "preact/hooks";
import { admin, at } from "../../../api/admin";
import { Button } from "../../../ui/button";
import { Confirm } from "../../../ui/confirm";
import { Field } from "../../../ui/fields";
import { number } from "../../../ui/format";
import { notify } from "../../../ui/notices";
import { go } from "../../../ui/router";

export function Runs() {
  const [open, setOpen] = useState<"recovery" | "report" | null>(null);
  const close = () => setOpen(null);
  return (
    <div class="stack">
      <section class="card card-head" aria-labelledby="recovery-title">
        <div>
          <h2 id="recovery-title">Recovery</h2>
          <p class="note">
            Ends requests whose process died after the charge, and enqueues events that are due. It
            runs by itself every few minutes.
          </p>
        </div>
        <Button onClick={() => setOpen("recovery")}>Recover now</Button>
      </section>
      <section class="card card-head" aria-labelledby="report-title">
        <div>
          <h2 id="report-title">Weekly report</h2>
          <p class="note">
            Computes the report of a week again, for example after requests were corrected. It
            replaces the one that is stored.
          </p>
        </div>
        <Button onClick={() => setOpen("report")}>Make a report again</Button>
      </section>
      {open === "recovery" && <Recovery onClose={close} />}
      {open === "report" && <Report onClose={close} />}
    </div>
  );
}

function Recovery({ onClose }: { onClose: () => void }) {
  return (
    <Confirm
      title="Recover now"
      label="Recover"
      onClose={onClose}
      onConfirm={async (reason) => {
        const counts = await admin<Record<string, unknown>>("POST", "/recovery", { reason });
        const told = Object.entries(counts)
          .filter((entry): entry is [string, number] => typeof entry[1] === "number")
          .map(([name, count]) => `${number(count)} ${inWords(name)}`);
        notify(told.length > 0 ? `Recovery: ${told.join(", ")}.` : "Recovery has run.");
      }}
    >
      <p>
        Requests that are past their time are ended: those without an image are refunded. Requests
        that still run are left alone.
      </p>
    </Confirm>
  );
}

/** "lostRequests" as "lost requests". */
const inWords = (name: string): string =>
  name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);

function Report({ onClose }: { onClose: () => void }) {
  const [week, setWeek] = useState("");
  return (
    <Confirm
      title="Make a report again"
      label="Make it"
      disabled={!/^\d{4}-W\d{2}$/.test(week)}
      onClose={onClose}
      onConfirm={async (reason) => {
        await admin("POST", at`/reports/${week}`, { reason });
        notify(`The report of ${week} is made.`);
        go(`/reports/${week}`);
      }}
    >
      <Field label="Week" hint="2026-W46">
        {(id) => (
          <input
            id={id}
            type="text"
            required
            pattern="\d{4}-W\d{2}"
            placeholder="2026-W46"
            autocomplete="off"
            data-autofocus
            value={week}
            onInput={(event) => setWeek(event.currentTarget.value.trim().toUpperCase())}
          />
        )}
      </Field>
      <p class="note">
        The stored report of this week is replaced; those who are told of reports are told again.
      </p>
    </Confirm>
  );
}
