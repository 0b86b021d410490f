/** Buttons, and identifiers with a button to copy them. */
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { Icon, type IconName } from "./icons";

type ButtonProps = Omit<JSX.IntrinsicElements["button"], "icon" | "size"> & {
  kind?: "primary" | "plain" | "quiet" | "danger";
  icon?: IconName;
  busy?: boolean;
  small?: boolean;
};

/** A button that acts once however long Enter is held down, and not while it is `busy`. */
export function Button({
  kind = "plain",
  icon,
  busy,
  small,
  children,
  disabled,
  ...rest
}: ButtonProps) {
  return (
    <button
      type="button"
      onKeyDown={ignoreRepeats}
      {...rest}
      class={`button ${kind} ${small ? "small" : ""}`}
      disabled={disabled || busy}
      aria-busy={busy || undefined}
    >
      {busy ? (
        <span class="spinner" aria-hidden="true" />
      ) : (
        icon && <Icon name={icon} size={small ? 16 : 18} />
      )}
      {children}
    </button>
  );
}

function ignoreRepeats(event: KeyboardEvent): void {
  if (event.repeat && event.key === "Enter") event.preventDefault();
}

export function CopyButton({
  text,
  label = "Copy",
  small = true,
}: {
  text: string;
  label?: string;
  small?: boolean;
}) {
  const [done, setDone] = useState<"" | "copied" | "failed">("");
  useEffect(() => {
    if (!done) return;
    const timer = setTimeout(() => setDone(""), 1800);
    return () => clearTimeout(timer);
  }, [done]);
  const copy = () =>
    navigator.clipboard.writeText(text).then(
      () => setDone("copied"),
      () => setDone("failed"),
    );
  return (
    <Button kind="quiet" small={small} icon={done === "copied" ? "check" : "copy"} onClick={copy}>
      <span aria-live="polite">
        {done === "copied" ? "Copied" : done === "failed" ? "Not allowed" : label}
      </span>
    </Button>
  );
}

/** An identifier with a button that copies it. */
export function Identifier({ value }: { value: string }) {
  return (
    <span class="identifier">
      <code title={value}>{value}</code>
      <CopyButton text={value} />
    </span>
  );
}
