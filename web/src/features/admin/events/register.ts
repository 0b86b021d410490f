/** Registers a webhook endpoint. There is no key that would make a second call the same one. */
import { admin } from "../../../api/admin";
import { mayBeDone } from "../../../ui/explain";

/** The secret of a new endpoint. Throws Error where the endpoint may be there although it failed. */
export async function register(endpoint: {
  url: string;
  types: readonly string[];
  reason: string;
}): Promise<string> {
  try {
    return (await admin<{ secret: string }>("POST", "/webhookEndpoints", endpoint)).secret;
  } catch (error) {
    if (!mayBeDone(error)) throw error;
    throw new Error(
      "It may have been added. Close this and look before you try again: if it is listed, rotate its secret, which is shown only once.",
      { cause: error },
    );
  }
}
