/** A dialog before something is changed: it says the consequence, and asks for the reason. */
import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { Button } from "./button";
import { Dialog } from "./dialog";
import { Failure } from "./failure";
import { Field } from "./fields";
import { useAction } from "./hooks";

export function Confirm({
  title,
  label,
  danger,
  asksReason = true,
  disabled,
  onConfirm,
  onClose,
  onDone = onClose,
  children,
}: {
  title: string;
  /** What the button does: "Delete the account". */
  label: string;
  danger?: boolean;
  /** Whether a reason has to be given, for the log of what administrators did. */
  asksReason?: boolean;
  disabled?: boolean;
  onConfirm: (reason: string) => Promise<void>;
  onClose: () => void;
  /** When it has succeeded; the dialog is closed unless something else is shown then. */
  onDone?: () => void;
  /** The consequence, and fields of the change. */
  children?: ComponentChildren;
}) {
  const [reason, setReason] = useState("");
  const action = useAction(async () => {
    await onConfirm(reason.trim());
    onDone();
  });
  return (
    <Dialog title={title} onClose={onClose} narrow>
      <form
        class="confirm"
        onSubmit={(event) => {
          event.preventDefault();
          action.run();
        }}
      >
        {children}
        {asksReason && (
          <Field label="Reason" hint="kept in the log">
            {(id) => (
              <input
                id={id}
                type="text"
                required
                maxLength={500}
                autocomplete="off"
                data-autofocus
                value={reason}
                onInput={(event) => setReason(event.currentTarget.value)}
              />
            )}
          </Field>
        )}
        {action.error !== null && <Failure error={action.error} />}
        <div class="actions end">
          <Button onClick={onClose}>Cancel</Button>
          <Button
            type="submit"
            kind={danger ? "danger" : "primary"}
            busy={action.busy}
            disabled={disabled || (asksReason && !reason.trim())}
          >
            {label}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
