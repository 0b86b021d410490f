/** The functions, called with the caller's ID token. */
import { backend } from "./firebase";

export type Status = "pending" | "processing" | "completed" | "failed" | "canceled";
export type Mode = "sync" | "async";

export interface Option {
  name: string;
  description?: string;
}
export interface Model extends Option {
  aliases?: string[];
}
export interface Size extends Option {
  credits: number;
  width: number;
  height: number;
}
export interface Catalogue {
  models: Model[];
  styles: Option[];
  colors: Option[];
  sizes: Size[];
}

export interface Order {
  userId: string;
  model: string;
  style: string;
  color: string;
  size: string;
  prompt: string;
  mode: Mode;
}

export interface Created {
  generationRequestId: string;
  deductedCredits: number;
  imageUrl: string | null;
  status?: Status;
}

export interface GenerationRequest {
  generationRequestId: string;
  userId: string;
  status: Status;
  mode: Mode;
  model: string;
  style: string;
  color: string;
  size: string;
  prompt: string;
  imageUrl: string | null;
  deductedCredits: number;
  refundedCredits: number;
  error: { reason: string; message: string } | null;
  createdAt: string;
  startedAt: string | null;
  completedAt: string | null;
}

export interface RequestPage {
  generationRequests: GenerationRequest[];
  nextPageToken?: string;
}

export interface LedgerEntry {
  id: string;
  type: "deduction" | "refund" | "grant";
  credits: number;
  generationRequestId: string | null;
  timestamp: string;
}
export interface Statement {
  currentCredits: number;
  transactions: LedgerEntry[];
  nextPageToken?: string;
}

/** A call that did not succeed; `reason` NETWORK when no answer came at all. */
export class ApiError extends Error {
  constructor(
    readonly code: number,
    readonly reason: string,
    message: string,
    readonly details: Record<string, unknown> = {},
    readonly requestId: string | null = null,
    readonly retryAfterSeconds: number | null = null,
  ) {
    super(message);
    this.name = "ApiError";
  }
}

export interface CallOptions {
  idempotencyKey?: string;
  signal?: AbortSignal;
}

export async function call<Reply>(
  name: string,
  body: object,
  { idempotencyKey, signal }: CallOptions = {},
): Promise<Reply> {
  const { auth, deployment } = await backend();
  const token = await auth.currentUser?.getIdToken();
  return send<Reply>(`${deployment.functionsUrl}/${name}`, {
    method: "POST",
    signal: signal ?? null,
    headers: {
      "Content-Type": "application/json",
      ...(token && { Authorization: `Bearer ${token}` }),
      ...(idempotencyKey && { "Idempotency-Key": idempotencyKey }),
    },
    body: JSON.stringify(body),
  });
}

/** One HTTP call: its JSON, or an ApiError that says what the API said. */
export async function send<Reply>(url: string, request: RequestInit): Promise<Reply> {
  let response: Response;
  try {
    response = await fetch(url, request);
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new ApiError(0, "NETWORK", "The server could not be reached.");
  }
  const body = (await response.json().catch(() => null)) as Record<string, unknown> | null;
  if (response.ok && body) return body as Reply;
  const error = (body?.error ?? {}) as { message?: string; details?: Record<string, unknown> };
  const retryAfter = Number(response.headers.get("Retry-After"));
  throw new ApiError(
    response.status,
    typeof error.details?.reason === "string" ? error.details.reason : "UNEXPECTED",
    error.message ?? `The server answered ${response.status}.`,
    error.details ?? {},
    response.headers.get("X-Request-Id"),
    retryAfter > 0 ? retryAfter : null,
  );
}

export const isOpen = (status: Status): boolean => status === "pending" || status === "processing";
