/** What a call that did not succeed throws. */

export class ApiError extends Error {
  constructor(
    /** The HTTP status; 0 when no answer came. */
    readonly code: number,
    /** `details.reason` of the API; NETWORK when no answer came, UNEXPECTED when the API gave none. */
    readonly reason: string,
    message: string,
    readonly details: Record<string, unknown> = {},
    readonly requestId: string | null = null,
    readonly retryAfterSeconds: number | null = null,
  ) {
    super(message);
    this.name = "ApiError";
  }

  /** The error that `toJSON` wrote. */
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
