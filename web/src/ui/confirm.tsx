/** A dialog before something is changed: it says the consequence, and asks for the reason. */
import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { Button } from "./button";
import { Dialog, takeFocus } from "./dialog";
import { mayBeDone } from "./explain";
import { Failure } from "./failure";
import { Field } from "./fields";
import { useAction, useWhileShown } from "./hooks";
import { notifyFailure } from "./notices";
import { reloadScreen } from "./router";

/**
 * While the call runs, the dialog stays. After a call whose outcome is unknown, its fields stay as
 * they were sent, so that only the same call can be repeated, and closing it loads the screen anew.
 */
export function Confirm({
  title,
  label,
  danger,
  asksReason = true,
  disabled,
  repeatable,
  closable,
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
  /** Whether the same call, sent again, does nothing twice, as with an idempotency key. */
  repeatable?: boolean;
  /** Whether it may be closed while the call runs, which `onConfirm` then gives up. */
  closable?: boolean;
  onConfirm: (reason: string) => Promise<void>;
  onClose: () => void;
  /** When it has succeeded; the dialog is closed unless something else is shown then. */
  onDone?: () => void;
  /** The consequence, and fields of the change. */
  children?: ComponentChildren;
}) {
  const [reason, setReason] = useState("");
  const again = repeatable ? "safe" : "look";
  const whileShown = useWhileShown();
  /** Whether what the screen shows may be old. */
  const isStale = useRef(false);
  const action = useAction(async () => {
    try {
      await onConfirm(reason.trim());
    } catch (error) {
      isStale.current ||= mayBeDone(error);
      if (!whileShown.aborted) throw error;
      if (!isGivenUp(error)) notifyFailure(error, again);
      return;
    }
    onDone();
  });
  const locked = action.busy && !closable;
  const isUnsure = mayBeDone(action.error);
  const close = () => {
    onClose();
    if (isStale.current) reloadScreen();
  };
  /** What may have had the focus until everything was disabled, which loses it. */
  const focused = useRef<(Element | null)[]>([]);
  useEffect(() => {
    if (!action.busy) focused.current.forEach(takeFocus);
  }, [action.busy]);
  return (
    <Dialog title={title} onClose={close} locked={locked} narrow>
      <form
        class="confirm"
        onSubmit={(event) => {
          event.preventDefault();
          event.stopPropagation(); // Firefox hands it on to a form behind the dialog
          focused.current = [document.activeElement, event.submitter];
          action.run();
        }}
      >
        <fieldset class="confirm-fields" disabled={action.busy || isUnsure}>
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
        </fieldset>
        {action.error !== null && <Failure error={action.error} again={again} />}
        <div class="actions end">
          <Button disabled={locked} onClick={close}>
            Cancel
          </Button>
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

/** Whether `onConfirm` has stopped by itself because its dialog was closed. */
const isGivenUp = (error: unknown): boolean => (error as Error).name === "AbortError";
