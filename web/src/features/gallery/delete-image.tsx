/** Asks before an image is deleted for good. */
import { call } from "../../api/client";
import type { GenerationRequest } from "../../api/types";
import { Confirm } from "../../ui/confirm";
import { credits } from "../../ui/format";
import { notify } from "../../ui/notices";

export function DeleteImage({
  request,
  onClose,
  onDeleted,
}: {
  request: GenerationRequest;
  onClose: () => void;
  onDeleted: (request: GenerationRequest) => void;
}) {
  const { generationRequestId, imageUrl } = request;
  const paid = request.deductedCredits - request.refundedCredits;
  return (
    <Confirm
      title={imageUrl ? "Delete the image" : "Delete the prompt"}
      label="Delete"
      danger
      repeatable
      asksReason={false}
      onClose={onClose}
      onConfirm={async () => {
        onDeleted(await call("deleteImage", { generationRequestId }));
        notify(imageUrl ? "The image is deleted." : "The prompt is deleted.");
      }}
    >
      <p>
        {imageUrl
          ? "The image and its prompt are deleted for good, and so is a photo that it started from."
          : "The prompt is deleted for good, and so is a photo that it started from."}{" "}
        The request stays in your history
        {paid > 0 ? `. Its price of ${credits(paid)} is not given back.` : "."}
      </p>
    </Confirm>
  );
}
