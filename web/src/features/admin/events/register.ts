/** Registers a webhook endpoint. There is no key that would make a second call the same one. */
import { isImagegenError } from "imagegen-client";
import { admin } from "../../../api/admin";

/** The secret of a new endpoint. Throws Error where the endpoint may be there although it failed. */
export async function register(endpoint: {
  url: string;
  types: readonly string[];
  reason: string;
}): Promise<string> {
  try {
    return (await admin<{ secret: string }>("POST", "/webhookEndpoints", endpoint)).secret;
  } catch (error) {
    if (!isImagegenError(error) || !OUTCOME_UNKNOWN.includes(error.reason)) throw error;
    throw new Error(
      "It may have been added. Close this and look before you try again: if it is listed, rotate its secret, which is shown only once.",
      { cause: error },
    );
  }
}

const OUTCOME_UNKNOWN: readonly string[] = ["NO_ANSWER", "BACKEND_UNAVAILABLE"];
