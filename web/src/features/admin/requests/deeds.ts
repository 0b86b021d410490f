/** What an administrator can do about a request, and what each of it costs whom. */
import type { GenerationRequest } from "../../../api/types";
import { credits } from "../../../ui/format";
import { notify } from "../../../ui/notices";
import { go } from "../../../ui/router";

export type Deed = "cancel" | "goodwill" | "retry";

export const DEEDS: Record<
  Deed,
  {
    title: string;
    /** The last part of the path of the call. */
    path: string;
    label: (request: GenerationRequest) => string;
    consequence: (request: GenerationRequest) => string;
    done: (request: GenerationRequest, answer: { generationRequestId?: string }) => void;
  }
> = {
  cancel: {
    title: "Cancel the request",
    path: "cancel",
    label: (request) => `Cancel and refund ${credits(request.deductedCredits)}`,
    consequence: (request) =>
      `${credits(request.deductedCredits)} go back to ${request.userId}, and no image is made.`,
    done: (request) => notify(`Canceled; ${credits(request.deductedCredits)} came back.`),
  },
  goodwill: {
    title: "Goodwill",
    path: "goodwill",
    label: (request) => `Give ${credits(request.deductedCredits)}`,
    consequence: (request) =>
      `${request.userId} is granted ${credits(request.deductedCredits)}, the price of this request, and keeps the image. This is possible once for each request.`,
    done: (request) => notify(`${credits(request.deductedCredits)} given.`),
  },
  retry: {
    title: "Run it again for free",
    path: "retry",
    label: () => "Run again",
    consequence: (request) =>
      `A new request with the same inputs is charged as usual, and its price is granted to ${request.userId} with it: the balance stays as it is. This is possible once for each request.`,
    done: (_, { generationRequestId }) => {
      notify("The request runs again.");
      if (generationRequestId) go(`/requests/${encodeURIComponent(generationRequestId)}`);
    },
  },
};
