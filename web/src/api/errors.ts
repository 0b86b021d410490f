/** The error of a call to the functions. */

export class ApiError extends Error {
  constructor(
    /** HTTP status; 0 if there was no answer. */
    readonly code: number,
    /** `details.reason`; NETWORK if there was no answer, UNEXPECTED if it was not from the API. */
    readonly reason: string,
    message: string,
    readonly details: Record<string, unknown> = {},
    readonly requestId: string | null = null,
    readonly retryAfterSeconds: number | null = null,
  ) {
    super(message);
    this.name = "ApiError";
  }

  /** The inverse of `toJSON`. */
  static from(json: Omit<ApiError, "toJSON">): ApiError {
    return new ApiError(
      json.code,
      json.reason,
      json.message,
      json.details,
      json.requestId,
      json.retryAfterSeconds,
    );
  }

  toJSON(): object {
    return { ...this, message: this.message }; // an error's message is not enumerable
  }
}
