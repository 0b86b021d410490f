import type { ComponentChildren } from "preact";
import { Badge } from "./badge";
import { Button, Identifier } from "./button";
import { explain } from "./explain";
import type { Again } from "./explanation";
import { credits } from "./format";
import { Icon } from "./icons";

/** An error in words: what happened, whether credits were refunded, what to do. */
export function Failure({
  error,
  onRetry,
  retryLabel = "Try again",
  again,
  children,
}: {
  error: unknown;
  /** What trying again does, where the call changes something. */
  again?: Again;
  onRetry?: () => void;
  retryLabel?: string;
  children?: ComponentChildren;
}) {
  const explained = explain(error, again);
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
