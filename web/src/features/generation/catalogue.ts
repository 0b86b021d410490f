/** The available models, styles, colors and sizes. */
import { call } from "../../api/client";
import type { Catalogue } from "../../api/types";
import { type Loaded, useLoaded } from "../../ui/hooks";

let catalogue: Promise<Catalogue> | undefined;

/** The catalogue, loaded once per page. */
export function useCatalogue(): Loaded<Catalogue> {
  return useLoaded(() => {
    catalogue ??= call("listModels", {}).catch((error: unknown) => {
      catalogue = undefined;
      throw error;
    });
    return catalogue;
  }, []);
}
