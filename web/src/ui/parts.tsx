/** The small parts that every screen is made of. */
import type { ComponentChildren, JSX } from "preact";
import { useEffect, useId, useRef, useState } from "preact/hooks";
import type { Status } from "../api";
import { explain } from "../failures";
import { ago, credits, dateTime } from "../format";
import { Icon, type IconName } from "./icons";

type ButtonProps = Omit<JSX.IntrinsicElements["button"], "icon" | "size"> & {
  kind?: "primary" | "plain" | "quiet" | "danger";
  icon?: IconName;
  busy?: boolean;
  small?: boolean;
};

export function Button({ kind = "plain", icon, busy, small, children, disabled, ...rest }: ButtonProps) {
  return (
    <button type="button" {...rest} class={`button ${kind} ${small ? "small" : ""}`} disabled={disabled || busy} aria-busy={busy || undefined}>
      {busy ? <span class="spinner" aria-hidden="true" /> : icon && <Icon name={icon} size={small ? 16 : 18} />}
      {children}
    </button>
  );
}

export function CopyButton({ text, label = "Copy", small = true }: { text: string; label?: string; small?: boolean }) {
  const [done, setDone] = useState<"" | "copied" | "failed">("");
  useEffect(() => {
    if (!done) return;
    const timer = setTimeout(() => setDone(""), 1800);
    return () => clearTimeout(timer);
  }, [done]);
  const copy = () => navigator.clipboard.writeText(text).then(() => setDone("copied"), () => setDone("failed"));
  return (
    <Button kind="quiet" small={small} icon={done === "copied" ? "check" : "copy"} onClick={copy}>
      <span aria-live="polite">{done === "copied" ? "Copied" : done === "failed" ? "Not allowed" : label}</span>
    </Button>
  );
}

/** An identifier in full, to be copied. */
export function Identifier({ value }: { value: string }) {
  return (
    <span class="identifier">
      <code title={value}>{value}</code>
      <CopyButton text={value} />
    </span>
  );
}

export function Badge({ tone, children }: { tone: string; children: ComponentChildren }) {
  return <span class={`badge ${tone}`}>{children}</span>;
}

const STATUS_TONES: Record<Status, string> = { completed: "good", failed: "bad", canceled: "neutral", pending: "wait", processing: "wait" };

export function StatusBadge({ status }: { status: Status }) {
  return (
    <Badge tone={STATUS_TONES[status]}>
      <span class="dot" aria-hidden="true" />
      {status}
    </Badge>
  );
}

export function When({ iso }: { iso: string }) {
  return (
    <time dateTime={iso} title={dateTime(iso)}>
      {ago(iso)}
    </time>
  );
}

export function Field({ label, hint, children }: { label: string; hint?: ComponentChildren; children: (id: string) => ComponentChildren }) {
  const id = useId();
  return (
    <div class="field">
      <div class="field-head">
        <label for={id}>{label}</label>
        {hint && <span class="hint">{hint}</span>}
      </div>
      {children(id)}
    </div>
  );
}

export function Select({ id, value, options, onChange, label, placeholder }: { id?: string; value: string; options: readonly string[]; onChange: (value: string) => void; label?: string; placeholder?: string }) {
  return (
    <span class="select">
      <select id={id} aria-label={label} value={value} onChange={(event) => onChange(event.currentTarget.value)}>
        {placeholder !== undefined && <option value="">{placeholder}</option>}
        {options.map((option) => (
          <option key={option} value={option}>
            {option}
          </option>
        ))}
      </select>
      <Icon name="right" size={14} />
    </span>
  );
}

/** A choice among a few, all of them in sight. */
export function Choice<T extends string>({ legend, name, value, options, onChange, compact }: { legend: string; name: string; value: T; options: readonly { value: T; title: string; note?: ComponentChildren }[]; onChange: (value: T) => void; compact?: boolean }) {
  return (
    <fieldset class={`choice ${compact ? "compact" : ""}`}>
      <legend>{legend}</legend>
      <div class="choice-options">
        {options.map((option) => (
          <label key={option.value} class="choice-option">
            <input type="radio" name={name} value={option.value} checked={option.value === value} onChange={() => onChange(option.value)} />
            <span class="choice-body">
              <span class="choice-title">{option.title}</span>
              {option.note && <span class="choice-note">{option.note}</span>}
            </span>
          </label>
        ))}
      </div>
    </fieldset>
  );
}

/** Tabs after the ARIA pattern: arrow keys move, the panel follows. */
export function Tabs({ label, tabs }: { label: string; tabs: readonly { name: string; body: () => ComponentChildren; aside?: () => ComponentChildren }[] }) {
  const [chosen, setChosen] = useState(0);
  const id = useId();
  const list = useRef<HTMLDivElement>(null);
  const move = (event: KeyboardEvent) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    const next = step ? (chosen + step + tabs.length) % tabs.length : event.key === "Home" ? 0 : event.key === "End" ? tabs.length - 1 : null;
    if (next === null) return;
    event.preventDefault();
    setChosen(next);
    list.current?.querySelectorAll<HTMLElement>("[role=tab]")[next]?.focus();
  };
  return (
    <div class="tabs">
      <div class="tab-bar">
      <div class="tab-list" role="tablist" aria-label={label} ref={list} onKeyDown={move}>
        {tabs.map((tab, index) => (
          <button type="button" role="tab" key={tab.name} id={`${id}-tab-${index}`} aria-selected={index === chosen} aria-controls={`${id}-panel`} tabIndex={index === chosen ? 0 : -1} onClick={() => setChosen(index)}>
            {tab.name}
          </button>
        ))}
      </div>
      {tabs[chosen]?.aside?.()}
      </div>
      <div role="tabpanel" id={`${id}-panel`} aria-labelledby={`${id}-tab-${chosen}`}>
        {tabs[chosen]?.body()}
      </div>
    </div>
  );
}

export function PageHead({ title, children, actions }: { title: string; children?: ComponentChildren; actions?: ComponentChildren }) {
  return (
    <header class="page-head">
      <div>
        <h1>{title}</h1>
        {children && <p class="lede">{children}</p>}
      </div>
      {actions && <div class="actions">{actions}</div>}
    </header>
  );
}

export function Empty({ icon, title, children, action }: { icon: IconName; title: string; children?: ComponentChildren; action?: ComponentChildren }) {
  return (
    <div class="empty">
      <span class="empty-icon">
        <Icon name={icon} size={22} />
      </span>
      <h2>{title}</h2>
      {children && <p>{children}</p>}
      {action}
    </div>
  );
}

/** A failure in words: what happened, whether credits came back, what to do. */
export function Failure({ error, onRetry, retryLabel = "Try again", children }: { error: unknown; onRetry?: () => void; retryLabel?: string; children?: ComponentChildren }) {
  const explained = explain(error);
  return (
    <div class="failure" role="alert">
      <Icon name={explained.refunded ? "refund" : "warning"} size={20} />
      <div class="failure-body">
        <h3>{explained.title}</h3>
        <p>{explained.text}</p>
        {explained.refunded > 0 && (
          <p>
            <Badge tone="good">+{credits(explained.refunded)} refunded</Badge>
          </p>
        )}
        {explained.generationRequestId && (
          <p class="failure-id">
            <span>Request</span> <Identifier value={explained.generationRequestId} />
          </p>
        )}
        {(onRetry || children) && (
          <div class="actions">
            {onRetry && (
              <Button small icon="again" onClick={onRetry}>
                {retryLabel}
              </Button>
            )}
            {children}
          </div>
        )}
      </div>
    </div>
  );
}

export function Skeleton({ lines = 3, height }: { lines?: number; height?: string }) {
  return (
    <div class="skeletons" role="status">
      <span class="visually-hidden">Loading</span>
      {Array.from({ length: height ? 1 : lines }, (_, index) => (
        <span class="skeleton" key={index} style={height ? { height } : { width: `${[92, 76, 84, 60][index % 4]}%` }} />
      ))}
    </div>
  );
}

/** A picture that keeps its place while it loads and says so when it cannot be shown. */
export function Picture(given: { url: string; alt: string; ratio: number; eager?: boolean }) {
  return <OnePicture key={given.url} {...given} />;
}

function OnePicture({ url, alt, ratio, eager }: { url: string; alt: string; ratio: number; eager?: boolean }) {
  const [state, setState] = useState<"loading" | "shown" | "broken">("loading");
  return (
    <div class={`picture ${state}`} style={{ aspectRatio: String(ratio) }}>
      {state === "broken" ? (
        <p class="picture-note">
          <Icon name="warning" />
          The image could not be loaded.
        </p>
      ) : (
        <img src={url} alt={alt} loading={eager ? "eager" : "lazy"} decoding="async" onLoad={() => setState("shown")} onError={() => setState("broken")} />
      )}
    </div>
  );
}

/** A dialog of the browser's own: focus stays in it, Escape closes it. */
export function Dialog({ title, onClose, children }: { title: string; onClose: () => void; children: ComponentChildren }) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    dialog.current?.showModal();
  }, []);
  const id = useId();
  return (
    <dialog
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
          <button type="button" class="button quiet icon-only" aria-label="Close" onClick={() => dialog.current?.close()}>
            <Icon name="close" />
          </button>
        </header>
        {children}
      </div>
    </dialog>
  );
}
