/** The steps of a request, with the credits charged and refunded. */
import type { GenerationRequest } from "../../api/types";
import { credits, dateTime, span } from "../../ui/format";

interface Step {
  title: string;
  note: string;
  state: "done" | "now" | "next" | "bad";
}

export function stepsOf(request: GenerationRequest): Step[] {
  const { status, createdAt, startedAt, completedAt } = request;
  const steps: Step[] = [
    { title: "Charged", note: credits(request.deductedCredits), state: "done" },
  ];
  const started = startedAt !== null && (request.mode === "sync" || status !== "pending");
  if (status === "pending" && !started) {
    steps.push({ title: "Waiting", note: "in the queue", state: "now" });
    steps.push({ title: "Image", note: "", state: "next" });
    return steps;
  }
  if (startedAt && started)
    steps.push({ title: "Started", note: after(createdAt, startedAt), state: "done" });
  if (!completedAt) {
    steps.push({ title: "Generating", note: "", state: "now" });
    return steps;
  }
  const took = after(startedAt ?? createdAt, completedAt);
  if (status === "completed") steps.push({ title: "Image", note: took, state: "done" });
  else {
    steps.push({ title: status === "canceled" ? "Canceled" : "Failed", note: took, state: "bad" });
    steps.push({ title: "Refunded", note: credits(request.refundedCredits), state: "done" });
  }
  return steps;
}

function after(from: string, to: string): string {
  const took = span(from, to);
  return took === "0.0 s" ? "at once" : `after ${took}`;
}

export function Timeline({ request }: { request: GenerationRequest }) {
  return (
    <ol class="timeline" aria-label={`What happened since ${dateTime(request.createdAt)}`}>
      {stepsOf(request).map((step) => (
        <li
          key={step.title}
          class={step.state}
          aria-current={step.state === "now" ? "step" : undefined}
        >
          <span class="timeline-title">{step.title}</span>
          <span class="timeline-note">{step.note}</span>
        </li>
      ))}
    </ol>
  );
}
