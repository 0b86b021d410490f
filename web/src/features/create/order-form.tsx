/** The form for an order, with its price. */
import { balance } from "../../api/balance";
import type { Catalogue, Mode, Size } from "../../api/types";
import { Button } from "../../ui/button";
import { Choice, Field, Select } from "../../ui/fields";
import { credits, duration, number } from "../../ui/format";
import { priceOf } from "../generation/catalogue";
import type { Draft } from "./draft";
import { Refill } from "./refill";

const MAX_PROMPT = 2000;

export function OrderForm({
  catalogue,
  durations,
  values,
  change,
  busy,
  onSubmit,
}: {
  catalogue: Catalogue;
  /** How many seconds a model usually takes, where it is known. */
  durations: Record<string, number>;
  values: Draft;
  change: (changes: Partial<Draft>) => void;
  busy: boolean;
  onSubmit: () => void;
}) {
  const left = balance.value;
  const price = priceOf(values.size, catalogue) ?? 0;
  const slow = catalogue.models.find((model) => model.name === values.model)?.background;
  const length = [...values.prompt.trim()].length;
  // An order of a user without an account opens it where there are free credits.
  const missing = typeof left === "number" && left < price;
  const problem = length > MAX_PROMPT ? `${number(length - MAX_PROMPT)} characters too many` : "";
  const submit = (event: Event) => {
    event.preventDefault();
    if (length > 0 && !problem && !missing && !busy) onSubmit();
  };
  const submitByKey = (event: KeyboardEvent) => {
    // A key that is held down sends repeated events, but is pressed once.
    if (event.key === "Enter" && (event.metaKey || event.ctrlKey) && !event.repeat) submit(event);
  };
  return (
    <form class="card order" onSubmit={submit} onKeyDown={submitByKey}>
      <Field
        label="Prompt"
        hint={
          <span class={problem ? "over" : ""}>{`${number(length)} / ${number(MAX_PROMPT)}`}</span>
        }
      >
        {(id) => (
          <>
            <textarea
              id={id}
              rows={4}
              required
              value={values.prompt}
              aria-invalid={problem !== "" || undefined}
              aria-describedby={`${id}-problem`}
              placeholder="A lighthouse in a storm, seen from the sea"
              onInput={(event) => change({ prompt: event.currentTarget.value })}
            />
            <span id={`${id}-problem`} class="field-problem">
              {problem}
            </span>
          </>
        )}
      </Field>
      <Choice
        legend="Model"
        name="model"
        value={values.model}
        onChange={(model) => change({ model })}
        options={catalogue.models.map((model) => ({
          value: model.name,
          title: model.name,
          note: <ModelNote model={model} seconds={durations[model.name]} sizes={catalogue.sizes} />,
        }))}
      />
      <div class="pair">
        <Field label="Style">
          {(id) => (
            <Select
              id={id}
              value={values.style}
              options={catalogue.styles.map((each) => each.name)}
              onChange={(style) => change({ style })}
            />
          )}
        </Field>
        <Field label="Color">
          {(id) => (
            <Select
              id={id}
              value={values.color}
              options={catalogue.colors.map((each) => each.name)}
              onChange={(color) => change({ color })}
            />
          )}
        </Field>
      </div>
      <Choice
        legend="Size"
        name="size"
        value={values.size}
        onChange={(size) => change({ size })}
        options={catalogue.sizes.map((size) => ({
          value: size.name,
          title: `${size.width}\u202f×\u202f${size.height}`,
          note: <SizeNote size={size} />,
        }))}
      />
      <Choice
        compact
        legend="When"
        name="mode"
        value={values.mode}
        onChange={(mode: Mode) => change({ mode })}
        options={[
          ...(slow ? [] : [{ value: "sync" as const, title: "Wait for it" }]),
          { value: "async", title: "In the background" },
        ]}
      />
      <div class="order-foot">
        <dl class="bill" aria-live="polite">
          <div>
            <dt>Price</dt>
            <dd data-testid="price">{credits(price)}</dd>
          </div>
          <div>
            <dt>Balance after</dt>
            <dd class={missing ? "over" : ""} data-testid="balance-after">
              {left === undefined
                ? "…"
                : left === null
                  ? "–"
                  : missing
                    ? `${credits(price - left)} short`
                    : number(left - price)}
            </dd>
          </div>
        </dl>
        <Button
          type="submit"
          kind="primary"
          busy={busy}
          disabled={length === 0 || problem !== "" || missing}
        >
          Create image
        </Button>
      </div>
      {(missing || left === null) && <Refill hasAccount={left !== null} />}
    </form>
  );
}

/** What a model is, how long it usually takes, and what it costs by size. */
function ModelNote({
  model,
  seconds,
  sizes,
}: {
  model: Catalogue["models"][number];
  seconds: number | undefined;
  sizes: readonly Size[];
}) {
  const prices = sizes.map((size) => size.credits);
  const [least, most] = [Math.min(...prices), Math.max(...prices)];
  return (
    <>
      {model.description}
      <span class="model-facts tabular">
        {least === most ? credits(least) : `${number(least)}–${credits(most)}, by size`}
        {seconds !== undefined && ` · usually ${duration(seconds)}`}
      </span>
    </>
  );
}

/** The price of a size, and its shape drawn to scale. */
function SizeNote({ size }: { size: Size }) {
  const longest = 22 * Math.min(1, size.height / 1024 + 0.15);
  const scale = longest / Math.max(size.width, size.height);
  const shape = { width: `${size.width * scale}px`, height: `${size.height * scale}px` };
  return (
    <span class="size-note">
      <span class="size-shape" style={shape} aria-hidden="true" />
      {credits(size.credits)}
    </span>
  );
}
