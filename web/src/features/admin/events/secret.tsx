/** A secret that signs deliveries. It is shown once: the server does not tell it again. */
import { Button, CopyButton } from "../../../ui/button";
import { Dialog } from "../../../ui/dialog";

export function Secret({ secret, onClose }: { secret: string; onClose: () => void }) {
  return (
    <Dialog title="The signing secret" narrow onClose={onClose}>
      <div class="confirm">
        <p>Keep it where the endpoint verifies signatures. It is not shown again.</p>
        <p class="secret">
          <code>{secret}</code>
        </p>
        <div class="actions end">
          <CopyButton text={secret} label="Copy the secret" small={false} />
          <Button kind="primary" onClick={onClose}>
            Done
          </Button>
        </div>
      </div>
    </Dialog>
  );
}
