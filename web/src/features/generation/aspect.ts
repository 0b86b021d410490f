/** The shape of a request's image. */
import type { Catalogue, GenerationRequest } from "../../api/types";

/** Width by height: of the stored image, else of the size that was ordered, else of a square. */
export function aspectOf(
  request: Pick<GenerationRequest, "image" | "size">,
  catalogue: Catalogue | null,
): number {
  const shape = request.image ?? catalogue?.sizes.find((each) => each.name === request.size);
  return shape && shape.width > 0 && shape.height > 0 ? shape.width / shape.height : 1;
}
