/** Recovery and weekly reports, run now instead of when they are scheduled. */
import type { Schemas } from "imagegen-client";
import { useState } from "preact/hooks";
import { admin, at } from "../../../api/admin";
import { Button } from "../../../ui/button";
import { Confirm } from "../../../ui/confirm";
import { Field } from "../../../ui/fields";
import { notify } from "../../../ui/notices";
import { go } from "../../../ui/router";
import { told } from "./recovery";

export function Runs() {
  const [open, setOpen] = useState<"recovery" | "report" | null>(null);
  const close = () => setOpen(null);
  return (
    <div class="stack">
      <section class="card card-head" aria-labelledby="recovery-title">
        <div>
          <h2 id="recovery-title">Recovery</h2>
          <p class="note">
            Ends requests whose process died after the charge, delivers events that are due, and
            goes on with deletions of accounts. It runs by itself every few minutes.
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
      {open === "recovery" && <RecoverNow onClose={close} />}
      {open === "report" && <Report onClose={close} />}
    </div>
  );
}

function RecoverNow({ onClose }: { onClose: () => void }) {
  return (
    <Confirm
      title="Recover now"
      label="Recover"
      onClose={onClose}
      onConfirm={async (reason) => {
        notify(told(await admin<Schemas["Recovery"]>("POST", "/recovery", { reason })));
      }}
    >
      <p>
        Requests that are past their time are ended: those without an image are refunded. Requests
        that still run are left alone.
      </p>
    </Confirm>
  );
}

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
