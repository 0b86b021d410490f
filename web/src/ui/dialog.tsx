import type { ComponentChildren } from "preact";
import { useEffect, useId, useRef } from "preact/hooks";
import { Icon } from "./icons";

/** The browser's modal dialog: it keeps the focus, and Escape closes it. */
export function Dialog({
  title,
  onClose,
  narrow,
  children,
}: {
  title: string;
  onClose: () => void;
  /** For a question or a short form. */
  narrow?: boolean;
  children: ComponentChildren;
}) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const opener = document.activeElement;
    dialog.current?.showModal();
    dialog.current?.querySelector<HTMLElement>("[data-autofocus]")?.focus();
    // A dialog that is removed while it is open leaves the focus nowhere.
    return () => {
      if (opener instanceof HTMLElement) setTimeout(() => takeFocus(opener));
    };
  }, []);
  const id = useId();
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: Escape closes a dialog by itself
    <dialog
      class={narrow ? "narrow" : undefined}
      ref={dialog}
      aria-labelledby={id}
      onClose={onClose}
      onClick={(event) => {
        if (event.target === event.currentTarget) dialog.current?.close();
      }}
    >
      <div class="dialog-body">
        <header class="dialog-head">
          <h2 id={id}>{title}</h2>
          <CloseButton onClick={() => dialog.current?.close()} />
        </header>
        {children}
      </div>
    </dialog>
  );
}

function takeFocus(element: HTMLElement): void {
  if (element.isConnected && document.activeElement === document.body) element.focus();
}

export function CloseButton({ onClick }: { onClick: () => void }) {
  return (
    <button type="button" class="button quiet icon-only" aria-label="Close" onClick={onClick}>
      <Icon name="close" />
    </button>
  );
}
