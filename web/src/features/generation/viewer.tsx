/** An image as large as the window, with the arrow keys for its neighbors. */
import { useEffect, useRef } from "preact/hooks";
import type { GenerationRequest } from "../../api/types";
import { Button, CopyButton } from "../../ui/button";
import { CloseButton } from "../../ui/dialog";
import { download } from "../../ui/download";
import { useAction } from "../../ui/hooks";
import { Icon } from "../../ui/icons";

export type Viewed = Pick<GenerationRequest, "generationRequestId" | "imageUrl" | "prompt">;

export function Viewer({
  images,
  at,
  onMove,
  onClose,
}: {
  images: readonly Viewed[];
  at: number;
  onMove: (at: number) => void;
  onClose: () => void;
}) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
  const image = images[at];
  const file = useAction(async () => {
    if (image?.imageUrl) await download(image.imageUrl, `image-${image.generationRequestId}`);
  });
  if (!image?.imageUrl) return null;
  const move = (step: number) => {
    if (images[at + step]) onMove(at + step);
  };
  const moveByKey = (event: KeyboardEvent) => {
    if (event.key === "ArrowLeft") move(-1);
    if (event.key === "ArrowRight") move(1);
  };
  return (
    <dialog class="viewer" ref={dialog} aria-label="Image" onClose={onClose} onKeyDown={moveByKey}>
      <header class="viewer-bar">
        <p class="viewer-prompt" title={image.prompt}>
          {image.prompt}
        </p>
        {images.length > 1 && (
          <span class="note tabular" aria-live="polite">
            {at + 1} of {images.length}
          </span>
        )}
        <CopyButton key={image.generationRequestId} text={image.prompt} label="Copy prompt" />
        <Button kind="quiet" small icon="download" busy={file.busy} onClick={() => file.run()}>
          Download
        </Button>
        <CloseButton onClick={() => dialog.current?.close()} />
      </header>
      <div class="viewer-stage">
        <img key={image.imageUrl} src={image.imageUrl} alt={image.prompt} />
        {images.length > 1 && (
          <>
            <Turn name="Previous image" icon="left" disabled={at === 0} onClick={() => move(-1)} />
            <Turn
              name="Next image"
              icon="right"
              disabled={at === images.length - 1}
              onClick={() => move(1)}
            />
          </>
        )}
      </div>
    </dialog>
  );
}

function Turn({
  name,
  icon,
  disabled,
  onClick,
}: {
  name: string;
  icon: "left" | "right";
  disabled: boolean;
  onClick: () => void;
}) {
  return (
    <button
      type="button"
      class={`button plain icon-only turn ${icon}`}
      aria-label={name}
      disabled={disabled}
      onClick={onClick}
    >
      <Icon name={icon} />
    </button>
  );
}
