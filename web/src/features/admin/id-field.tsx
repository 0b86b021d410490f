/** The field of a dialog in which an id is written. */
import type { ComponentChildren } from "preact";
import { Field } from "../../ui/fields";

export function IdField({
  label,
  hint,
  value,
  onInput,
}: {
  label: string;
  hint?: ComponentChildren;
  value: string;
  onInput: (value: string) => void;
}) {
  return (
    <Field label={label} hint={hint}>
      {(id) => (
        <input
          id={id}
          type="text"
          required
          autocomplete="off"
          spellcheck={false}
          data-autofocus
          value={value}
          onInput={(event) => onInput(event.currentTarget.value)}
        />
      )}
    </Field>
  );
}
