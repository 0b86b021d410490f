/** The fields of forms. */
import type { ComponentChildren } from "preact";
import { useId } from "preact/hooks";
import { Icon } from "./icons";

export function Field({
  label,
  hint,
  children,
}: {
  label: string;
  hint?: ComponentChildren;
  children: (id: string) => ComponentChildren;
}) {
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

export function Select({
  id,
  value,
  options,
  names = {},
  onChange,
  label,
  placeholder,
}: {
  id?: string;
  value: string;
  options: readonly string[];
  /** What options are called that are not called by their value. */
  names?: Readonly<Record<string, string>>;
  onChange: (value: string) => void;
  label?: string;
  placeholder?: string;
}) {
  return (
    <span class="select">
      <select
        id={id}
        aria-label={label}
        value={value}
        onChange={(event) => onChange(event.currentTarget.value)}
      >
        {placeholder !== undefined && <option value="">{placeholder}</option>}
        {options.map((option) => (
          <option key={option} value={option}>
            {names[option] ?? option}
          </option>
        ))}
      </select>
      <Icon name="right" size={14} />
    </span>
  );
}

/** Radio buttons: one choice among a few options, all visible. */
export function Choice<T extends string>({
  legend,
  name,
  value,
  options,
  onChange,
  compact,
}: {
  legend: string;
  name: string;
  value: T;
  options: readonly { value: T; title: string; note?: ComponentChildren }[];
  onChange: (value: T) => void;
  compact?: boolean;
}) {
  return (
    <fieldset class={`choice ${compact ? "compact" : ""}`}>
      <legend>{legend}</legend>
      <div class="choice-options">
        {options.map((option) => (
          <label key={option.value} class="choice-option">
            <input
              type="radio"
              name={name}
              value={option.value}
              checked={option.value === value}
              onChange={() => onChange(option.value)}
            />
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
