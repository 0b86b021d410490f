/** Registers a webhook endpoint. Its secret is shown once. */
import { useState } from "preact/hooks";
import { Confirm } from "../../../ui/confirm";
import { Field } from "../../../ui/fields";
import { register } from "./register";
import { Secret } from "./secret";

const TYPES = [
  "generation.completed",
  "generation.failed",
  "generation.canceled",
  "credits.low",
  "credits.granted",
  "credits.purchased",
  "credits.expired",
  "credits.clawed_back",
  "report.stored",
];

export function AddEndpoint({ onClose }: { onClose: () => void }) {
  const [url, setUrl] = useState("");
  const [types, setTypes] = useState<readonly string[]>(TYPES);
  const [secret, setSecret] = useState("");
  if (secret) return <Secret secret={secret} onClose={onClose} />;
  return (
    <Confirm
      title="Add an endpoint"
      label="Add"
      disabled={!url || types.length === 0}
      onClose={onClose}
      onDone={() => {}}
      onConfirm={async (reason) => {
        setSecret(await register({ url, types, reason }));
      }}
    >
      <Field label="Address" hint="https">
        {(id) => (
          <input
            id={id}
            type="url"
            required
            placeholder="https://example.com/hooks"
            data-autofocus
            value={url}
            onInput={(event) => setUrl(event.currentTarget.value)}
          />
        )}
      </Field>
      <TypeChoice chosen={types} onChange={setTypes} />
    </Confirm>
  );
}

function TypeChoice({
  chosen,
  onChange,
}: {
  chosen: readonly string[];
  onChange: (types: readonly string[]) => void;
}) {
  return (
    <fieldset class="checks">
      <legend>What it is told of</legend>
      {TYPES.map((type) => (
        <label key={type}>
          <input
            type="checkbox"
            checked={chosen.includes(type)}
            onChange={(event) =>
              onChange(
                TYPES.filter((each) =>
                  each === type ? event.currentTarget.checked : chosen.includes(each),
                ),
              )
            }
          />
          {type}
        </label>
      ))}
    </fieldset>
  );
}
