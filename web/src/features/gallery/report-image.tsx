/** Reports an image that should not have been made. */
import { useState } from "preact/hooks";
import { call } from "../../api/client";
import type { Body } from "../../api/types";
import { Confirm } from "../../ui/confirm";
import { Field } from "../../ui/fields";
import { notify } from "../../ui/notices";
import { REASONS } from "./report-reasons";

type Reason = Body<"reportImage">["reason"];

export function ReportImage({ id, onClose }: { id: string; onClose: () => void }) {
  const [reason, setReason] = useState<Reason>("other");
  const [comment, setComment] = useState("");
  return (
    <Confirm
      title="Report the image"
      label="Report"
      repeatable
      asksReason={false}
      onClose={onClose}
      onConfirm={async () => {
        await call("reportImage", { generationRequestId: id, reason, comment: comment.trim() });
        notify("Thank you. Whoever runs this app looks at the report.");
      }}
    >
      <fieldset class="checks">
        <legend>What is wrong with it</legend>
        {(Object.keys(REASONS) as Reason[]).map((each) => (
          <label key={each}>
            <input
              type="radio"
              name="reason"
              checked={each === reason}
              onChange={() => setReason(each)}
            />
            {REASONS[each]}
          </label>
        ))}
      </fieldset>
      <Field label="What else helps to judge it" hint="may be left out">
        {(fieldId) => (
          <textarea
            id={fieldId}
            rows={3}
            maxLength={1000}
            value={comment}
            onInput={(event) => setComment(event.currentTarget.value)}
          />
        )}
      </Field>
      <p class="note">
        An operator sees the image, its prompt and your report. The image stays until it is deleted.
      </p>
    </Confirm>
  );
}
