/** The error of a request that failed in the background, as a call would have thrown it. */
import { type ImagegenError, imagegenError } from "imagegen-client";
import type { GenerationRequest } from "../../api/types";

export function failureOf({
  generationRequestId,
  refundedCredits,
  error,
}: GenerationRequest): ImagegenError {
  const cause = error?.reason ?? "";
  const known = { status: "UNKNOWN", message: error?.message ?? "" } as const;
  const details = { generationRequestId, refundedCredits };
  const retryable = error?.retryable ?? false;
  if (cause === "CONTENT_REFUSED")
    return imagegenError({ ...known, reason: cause, status: "INVALID_ARGUMENT", details });
  return imagegenError(
    cause === "GENERATION_TIMEOUT"
      ? {
          ...known,
          reason: cause,
          status: "DEADLINE_EXCEEDED",
          details: { ...details, cause, retryable },
        }
      : { ...known, reason: "GENERATION_FAILED", details: { ...details, cause, retryable } },
  );
}
