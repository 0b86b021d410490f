/** The screen that orders an image: the form, its code, and the result. */
import { useEffect, useRef, useState } from "preact/hooks";
import type { User } from "../../api/session";
import type { Catalogue, Order } from "../../api/types";
import { Failure } from "../../ui/failure";
import { useTitle } from "../../ui/hooks";
import { PageHead, Skeleton } from "../../ui/page";
import { priceOf, useCatalogue } from "../generation/catalogue";
import { Code } from "./code";
import { type Draft, draft, EMPTY } from "./draft";
import { useDurations } from "./durations";
import { OrderForm } from "./order-form";
import { Result, requestIdOf } from "./result";
import { resume, run, start } from "./run";
import { Running } from "./running";

export function Create({ user }: { user: User }) {
  useTitle("Create");
  const catalogue = useCatalogue();
  return (
    <>
      <PageHead title="Create an image">
        Describe it, choose how it should look, and see what it costs before you pay.
      </PageHead>
      {catalogue.state === "loading" && (
        <div class="create">
          <div class="card">
            <Skeleton height="34rem" />
          </div>
          <div class="card">
            <Skeleton height="24rem" />
          </div>
        </div>
      )}
      {catalogue.state === "failed" && (
        <Failure error={catalogue.error} onRetry={catalogue.retry} />
      )}
      {catalogue.state === "ready" && <Studio user={user} catalogue={catalogue.value} />}
    </>
  );
}

function Studio({ user, catalogue }: { user: User; catalogue: Catalogue }) {
  const [key, setKey] = useState(() => crypto.randomUUID());
  const result = useRef<HTMLElement>(null);
  useEffect(resume, []);
  const durations = useDurations(user.uid);
  const values = onOffer(draft.current.value ?? EMPTY, catalogue);
  const order: Order = { userId: user.uid, ...values, prompt: values.prompt.trim() };

  const send = (what: Order) => {
    if (!start(what, priceOf(what.size, catalogue), key)) return;
    setKey(crypto.randomUUID()); // the next press is another image
    if (matchMedia("(max-width: 1100px)").matches)
      result.current?.scrollIntoView({ block: "start" });
  };
  return (
    <div class="create">
      <OrderForm
        catalogue={catalogue}
        durations={durations}
        values={values}
        change={(changes) => draft.keep({ ...values, ...changes })}
        busy={run.value?.state === "sending"}
        onSubmit={() => send(order)}
      />
      <section class="card result" aria-labelledby="result-title" ref={result}>
        <h2 id="result-title">Result</h2>
        <Result catalogue={catalogue} onAgain={send} />
        <Running userId={user.uid} except={run.value && requestIdOf(run.value)} />
      </section>
      <Code order={order} idempotencyKey={key} />
    </div>
  );
}

/** The draft; options that are no longer available are replaced by the first one. */
function onOffer(written: Draft, catalogue: Catalogue): Draft {
  const pick = (value: string, options: { name: string }[]) =>
    options.some((each) => each.name === value) ? value : (options[0]?.name ?? "");
  const model = pick(written.model, catalogue.models);
  const slow = catalogue.models.find((each) => each.name === model)?.background;
  return {
    ...written,
    model,
    mode: slow ? "async" : written.mode,
    style: pick(written.style, catalogue.styles),
    color: pick(written.color, catalogue.colors),
    size: pick(written.size, catalogue.sizes),
  };
}
