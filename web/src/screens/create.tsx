/** Order an image: the form, the request as code, and what becomes of it. */
import { useEffect, useRef, useState } from "preact/hooks";
import { ApiError, call, type Catalogue, type Created, type GenerationRequest, isOpen, type Mode, type Order, type Size } from "../api";
import type { Deployment } from "../deployment";
import { backend } from "../firebase";
import { credits, number, span } from "../format";
import { balance, type User } from "../session";
import { type Draft, draft, keepDraft } from "../draft";
import { snippets, tokens } from "../snippets";
import { Button, Choice, CopyButton, Empty, Failure, Field, Identifier, PageHead, Picture, Select, Skeleton, StatusBadge, Tabs } from "../ui/parts";
import { Timeline } from "../ui/timeline";
import { useCatalogue, useLiveRequest, useStopwatch, useTitle } from "../use";

const MAX_PROMPT = 2000;

export function Create({ user }: { user: User }) {
  useTitle("Create");
  const catalogue = useCatalogue();
  return (
    <>
      <PageHead title="Create an image">Describe it, choose how it should look, and see what it costs before you pay.</PageHead>
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
      {catalogue.state === "failed" && <Failure error={catalogue.error} onRetry={catalogue.retry} />}
      {catalogue.state === "ready" && <Studio user={user} catalogue={catalogue.value} />}
    </>
  );
}

type Run =
  | { state: "idle" }
  | { state: "sending"; order: Order; key: string }
  | { state: "accepted"; order: Order; key: string; created: Created }
  | { state: "failed"; order: Order; key: string; error: unknown };

function Studio({ user, catalogue }: { user: User; catalogue: Catalogue }) {
  const [values, setValues] = useState<Draft>(() => offered(draft.peek(), catalogue));
  const [key, setKey] = useState(() => crypto.randomUUID());
  const [run, setRun] = useState<Run>({ state: "idle" });
  const result = useRef<HTMLElement>(null);
  useEffect(() => keepDraft(values), [values]);

  const change = (changes: Partial<Draft>) => setValues((before) => ({ ...before, ...changes }));
  const order: Order = { userId: user.uid, ...values, prompt: values.prompt.trim() };

  const send = async (sent: Order, withKey: string) => {
    setRun({ state: "sending", order: sent, key: withKey });
    if (matchMedia("(max-width: 1000px)").matches) result.current?.scrollIntoView({ block: "start" });
    try {
      const created = await call<Created>("createGenerationRequest", sent, { idempotencyKey: withKey });
      setRun({ state: "accepted", order: sent, key: withKey, created });
    } catch (error) {
      setRun({ state: "failed", order: sent, key: withKey, error });
    }
  };
  const create = () => {
    void send(order, key);
    setKey(crypto.randomUUID()); // the next press is another image
  };
  // The same key again where it is not known what happened, or the first call charged nothing.
  const retry = (failed: Extract<Run, { state: "failed" }>) => {
    const ended = failed.error instanceof ApiError && ["GENERATION_FAILED", "GENERATION_TIMEOUT"].includes(failed.error.reason);
    void send(failed.order, ended ? crypto.randomUUID() : failed.key);
  };

  return (
    <div class="create">
      <OrderForm catalogue={catalogue} values={values} change={change} busy={run.state === "sending"} onSubmit={create} />
      <section class="card result" aria-labelledby="result-title" ref={result}>
        <h2 id="result-title">Result</h2>
        <Result run={run} catalogue={catalogue} onRetry={retry} onAgain={create} />
      </section>
      <Code order={order} idempotencyKey={key} />
    </div>
  );
}

/** The draft with what is no longer on offer replaced by the first that is. */
function offered(kept: Draft, catalogue: Catalogue): Draft {
  const pick = (value: string, options: { name: string }[]) => (options.some((each) => each.name === value) ? value : (options[0]?.name ?? ""));
  return {
    ...kept,
    model: pick(kept.model, catalogue.models),
    style: pick(kept.style, catalogue.styles),
    color: pick(kept.color, catalogue.colors),
    size: pick(kept.size, catalogue.sizes),
  };
}

function OrderForm({ catalogue, values, change, busy, onSubmit }: { catalogue: Catalogue; values: Draft; change: (changes: Partial<Draft>) => void; busy: boolean; onSubmit: () => void }) {
  const left = balance.value;
  const price = catalogue.sizes.find((size) => size.name === values.size)?.credits ?? 0;
  const length = [...values.prompt.trim()].length;
  const missing = left === null || (typeof left === "number" && left < price);
  const problem = length > MAX_PROMPT ? `${number(length - MAX_PROMPT)} characters too many` : "";
  const submit = (event: Event) => {
    event.preventDefault();
    if (length > 0 && !problem && !missing && !busy) onSubmit();
  };
  const submitByKey = (event: KeyboardEvent) => {
    if (event.key === "Enter" && (event.metaKey || event.ctrlKey)) submit(event);
  };
  return (
    <form class="card order" onSubmit={submit} onKeyDown={submitByKey}>
      <Field label="Prompt" hint={<span class={problem ? "over" : ""}>{`${number(length)} / ${number(MAX_PROMPT)}`}</span>}>
        {(id) => (
          <>
            <textarea id={id} rows={4} required value={values.prompt} aria-invalid={problem !== "" || undefined} aria-describedby={`${id}-problem`} placeholder="A lighthouse in a storm, seen from the sea" onInput={(event) => change({ prompt: event.currentTarget.value })} />
            <span id={`${id}-problem`} class="field-problem">
              {problem}
            </span>
          </>
        )}
      </Field>
      <Choice legend="Model" name="model" value={values.model} onChange={(model) => change({ model })} options={catalogue.models.map((model) => ({ value: model.name, title: model.name, note: model.description }))} />
      <div class="pair">
        <Field label="Style">{(id) => <Select id={id} value={values.style} options={catalogue.styles.map((each) => each.name)} onChange={(style) => change({ style })} />}</Field>
        <Field label="Color">{(id) => <Select id={id} value={values.color} options={catalogue.colors.map((each) => each.name)} onChange={(color) => change({ color })} />}</Field>
      </div>
      <Choice legend="Size" name="size" value={values.size} onChange={(size) => change({ size })} options={catalogue.sizes.map((size) => ({ value: size.name, title: `${size.width}\u202f×\u202f${size.height}`, note: <SizeNote size={size} /> }))} />
      <Choice compact legend="When" name="mode" value={values.mode} onChange={(mode: Mode) => change({ mode })} options={[{ value: "sync", title: "Wait for it" }, { value: "async", title: "In the background" }]} />
      <div class="order-foot">
        <dl class="bill" aria-live="polite">
          <div>
            <dt>Price</dt>
            <dd data-testid="price">{credits(price)}</dd>
          </div>
          <div>
            <dt>Balance after</dt>
            <dd class={missing ? "over" : ""} data-testid="balance-after">
              {left === undefined ? "…" : left === null ? "no account" : missing ? `${credits(price - left)} short` : number(left - price)}
            </dd>
          </div>
        </dl>
        <Button type="submit" kind="primary" busy={busy} disabled={length === 0 || problem !== "" || missing}>
          Create image
        </Button>
      </div>
      {left === null && <p class="note">There is no credit account for you yet: an administrator has to grant credits first.</p>}
    </form>
  );
}

function SizeNote({ size }: { size: Size }) {
  const scale = 22 / Math.max(size.width, size.height);
  return (
    <span class="size-note">
      <span class="size-shape" style={{ width: `${size.width * scale * Math.min(1, size.height / 1024 + 0.15)}px`, height: `${size.height * scale * Math.min(1, size.height / 1024 + 0.15)}px` }} aria-hidden="true" />
      {credits(size.credits)}
    </span>
  );
}

function Code({ order, idempotencyKey }: { order: Order; idempotencyKey: string }) {
  const [deployment, setDeployment] = useState<Deployment | null>(null);
  useEffect(() => {
    void backend().then((known) => setDeployment(known.deployment));
  }, []);
  const list = snippets(deployment?.functionsUrl ?? "", order, idempotencyKey);
  return (
    <section class="card code" aria-label="This request as code">
      <Tabs
        label="Language"
        tabs={list.map(({ name, code }) => ({
          name,
          aside: () => <CopyButton key={name} text={code} />,
          body: () => (
            <pre tabIndex={0} role="group" aria-label={`${name} code`}>
              <code>
                {tokens(code).map((token, index) => (
                  <span key={index} class={`token-${token.kind}`}>
                    {token.text}
                  </span>
                ))}
              </code>
            </pre>
          ),
        }))}
      />
    </section>
  );
}

function Result({ run, catalogue, onRetry, onAgain }: { run: Run; catalogue: Catalogue; onRetry: (failed: Extract<Run, { state: "failed" }>) => void; onAgain: () => void }) {
  const id = requestIdOf(run);
  const { request } = useLiveRequest(id);
  const working = run.state === "sending" || (run.state === "accepted" && (request ? isOpen(request.status) : run.created.imageUrl === null));
  const seconds = useStopwatch(working);
  if (run.state === "idle") {
    return (
      <Empty icon="gallery" title="Nothing here yet">
        Your image and every step on its way appear here.
      </Empty>
    );
  }
  const size = catalogue.sizes.find((each) => each.name === run.order.size);
  const ratio = size ? size.width / size.height : 1;
  const imageUrl = request?.imageUrl ?? (run.state === "accepted" ? run.created.imageUrl : null);
  const failed = run.state === "failed" ? run.error : request?.status === "failed" ? failureOf(request) : null;
  return (
    <div class="result-body" aria-live="polite">
      {imageUrl ? (
        <Picture url={imageUrl} alt={run.order.prompt} ratio={ratio} eager />
      ) : failed ? (
        <Failure error={failed} onRetry={canRetry(failed) ? () => onRetry({ state: "failed", order: run.order, key: run.key, error: failed }) : undefined} />
      ) : request?.status === "canceled" ? (
        <Empty icon="refund" title="Canceled">
          {credits(request.refundedCredits)} came back.
        </Empty>
      ) : (
        <div class="picture working" style={{ aspectRatio: String(ratio) }}>
          <p class="picture-note">
            <span class="spinner" aria-hidden="true" />
            {run.order.mode === "async" ? "In the background" : "Generating"} <span class="tabular">{seconds.toFixed(1)} s</span>
          </p>
        </div>
      )}
      {request && (
        <>
          <Timeline request={request} />
          <dl class="facts">
            <div>
              <dt>Status</dt>
              <dd>
                <StatusBadge status={request.status} />
              </dd>
            </div>
            <div>
              <dt>Took</dt>
              <dd class="tabular">{request.completedAt ? span(request.createdAt, request.completedAt) : "…"}</dd>
            </div>
            <div>
              <dt>Cost</dt>
              <dd>{credits(request.deductedCredits - request.refundedCredits)}</dd>
            </div>
          </dl>
          {!failed && (
            <p class="failure-id">
              <span>Request</span> <Identifier value={request.generationRequestId} />
            </p>
          )}
          <div class="actions">
            <a class="button plain small" href={`/gallery/${request.generationRequestId}`}>
              Open in the gallery
            </a>
            {request.status === "completed" && (
              <Button small kind="quiet" icon="again" onClick={onAgain}>
                Another one
              </Button>
            )}
          </div>
        </>
      )}
    </div>
  );
}

function requestIdOf(run: Run): string | null {
  if (run.state === "accepted") return run.created.generationRequestId;
  if (run.state === "failed" && run.error instanceof ApiError) {
    const id = run.error.details.generationRequestId;
    return typeof id === "string" ? id : null;
  }
  return null;
}

/** A failure that came to light in the background, in the words of a failed call. */
function failureOf(request: GenerationRequest): ApiError {
  const timedOut = request.error?.reason === "GENERATION_TIMEOUT";
  return new ApiError(500, timedOut ? "GENERATION_TIMEOUT" : "GENERATION_FAILED", request.error?.message ?? "", {
    generationRequestId: request.generationRequestId,
    refundedCredits: request.refundedCredits,
  });
}

function canRetry(error: unknown): boolean {
  if (!(error instanceof ApiError)) return true;
  if (error.details.retryable === false) return false;
  return error.code >= 500 || ["NETWORK", "RATE_LIMITED"].includes(error.reason);
}
