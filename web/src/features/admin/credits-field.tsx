import { Field } from "../../ui/fields";

/** A field for a whole number of credits, from 1 on unless `min` says otherwise. */
export function CreditsField({
  label,
  hint,
  value,
  min = 1,
  max = 1_000_000,
  focus,
  onChange,
}: {
  label: string;
  hint?: string;
  value: number;
  min?: number;
  max?: number;
  /** Whether the dialog opens with the focus here. */
  focus?: boolean;
  onChange: (credits: number) => void;
}) {
  return (
    <Field label={label} hint={hint}>
      {(id) => (
        <input
          id={id}
          type="number"
          inputMode="numeric"
          required
          min={min}
          max={max}
          step={1}
          data-autofocus={focus}
          value={value || ""}
          onInput={(event) => onChange(Math.trunc(event.currentTarget.valueAsNumber) || 0)}
        />
      )}
    </Field>
  );
}
