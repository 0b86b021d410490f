import type { ComponentChildren } from "preact";
import { useEffect, useId, useRef } from "preact/hooks";
import { Icon } from "./icons";

/** The browser's modal dialog: it keeps the focus, and Escape closes it. */
export function Dialog({
  title,
  onClose,
  locked,
  narrow,
  children,
}: {
  title: string;
  onClose: () => void;
  /** While it must not be closed, because something is being done. */
  locked?: boolean;
  /** For a question or a short form. */
  narrow?: boolean;
  children: ComponentChildren;
}) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const opener = document.activeElement;
    dialog.current?.showModal();
    dialog.current?.querySelector<HTMLElement>("[data-autofocus]")?.focus();
    // A dialog that is removed while it is open leaves the focus nowhere. Its opener may be gone.
    return () => {
      setTimeout(() => {
        const stays = opener?.isConnected && opener !== document.body;
        takeFocus(stays ? opener : document.getElementById("main"));
      });
    };
  }, []);
  const id = useId();
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: Escape closes a dialog by itself
    <dialog
      class={narrow ? "narrow" : undefined}
      ref={dialog}
      aria-labelledby={id}
      onCancel={(event) => {
        if (locked) event.preventDefault();
      }}
      // A browser may close it all the same, as when Escape is pressed twice.
      onClose={() => (locked ? dialog.current?.showModal() : onClose())}
      onClick={(event) => {
        if (event.target === event.currentTarget && !locked) dialog.current?.close();
      }}
    >
      <div class="dialog-body">
        <header class="dialog-head">
          <h2 id={id}>{title}</h2>
          <CloseButton disabled={locked} onClick={() => dialog.current?.close()} />
        </header>
        {children}
      </div>
    </dialog>
  );
}

/** Focuses an element, unless another one has the focus. */
export function takeFocus(element: Element | null): void {
  if (document.activeElement === document.body && element instanceof HTMLElement)
    element.focus({ preventScroll: true });
}

export function CloseButton({ disabled, onClick }: { disabled?: boolean; onClick: () => void }) {
  return (
    <button
      type="button"
      class="button quiet icon-only"
      aria-label="Close"
      disabled={disabled}
      onClick={onClick}
    >
      <Icon name="close" />
    </button>
  );
}
