/** A field of a document, by its type. An empty one is left out of the document. */
import { useState } from "preact/hooks";
import { Field, Select } from "../../../ui/fields";
import type { KnownField } from "./kinds";

export function KnownInput({
  field,
  value,
  problem,
  onChange,
}: {
  field: KnownField;
  value: unknown;
  problem: string | undefined;
  onChange: (value: unknown) => void;
}) {
  if (field.type === "boolean") {
    return (
      <label class="check">
        <input
          type="checkbox"
          checked={value === true || (field.name === "enabled" && value === undefined)}
          onChange={(event) => onChange(event.currentTarget.checked)}
        />
        {field.label}
      </label>
    );
  }
  return (
    <div class={field.wide ? "wide" : undefined}>
      <Field label={field.label} hint={field.hint}>
        {(id) => (
          <>
            {field.type === "choice" ? (
              <Select
                id={id}
                value={String(value ?? "")}
                options={field.options ?? []}
                onChange={onChange}
              />
            ) : (
              <TextInput
                id={id}
                field={field}
                value={value}
                problem={problem}
                onChange={onChange}
              />
            )}
            <span id={`${id}-problem`} class="field-problem">
              {problem}
            </span>
          </>
        )}
      </Field>
    </div>
  );
}

function TextInput({
  id,
  field,
  value,
  problem,
  onChange,
}: {
  id: string;
  field: KnownField;
  value: unknown;
  problem: string | undefined;
  onChange: (value: unknown) => void;
}) {
  const [text, setText] = useState(Array.isArray(value) ? value.join(", ") : String(value ?? ""));
  const change = (typed: string) => {
    setText(typed);
    if (field.type === "number") onChange(typed.trim() === "" ? undefined : Number(typed));
    else if (field.type === "names") onChange(names(typed));
    else onChange(typed);
  };
  const shared = {
    id,
    required: field.required ?? false,
    autocomplete: "off",
    "aria-invalid": problem !== undefined || undefined,
    "aria-describedby": problem === undefined ? undefined : `${id}-problem`,
    value: text,
    onInput: (event: { currentTarget: HTMLInputElement }) => change(event.currentTarget.value),
  };
  return field.type === "number" ? (
    <input {...shared} type="number" inputMode="numeric" step={1} />
  ) : (
    <input {...shared} type="text" />
  );
}

function names(typed: string): string[] | undefined {
  const given = typed
    .split(",")
    .map((each) => each.trim())
    .filter(Boolean);
  return given.length > 0 ? given : undefined;
}
