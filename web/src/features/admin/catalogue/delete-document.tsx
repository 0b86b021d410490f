/** The question before a document of the catalogue is deleted. */
import { Confirm } from "../../../ui/confirm";

export function DeleteDocument({
  name,
  one,
  onClose,
  onConfirm,
}: {
  name: string;
  /** Its kind: "style". */
  one: string;
  onClose: () => void;
  onConfirm: (reason: string) => Promise<void>;
}) {
  return (
    <Confirm title={`Delete ${name}`} label="Delete" danger onClose={onClose} onConfirm={onConfirm}>
      <p>
        Nobody can order it any more. Requests that name it stay as they are. To take this {one} off
        the list for a while, clear “On offer” instead.
      </p>
    </Confirm>
  );
}
