/** Short messages about what was done, with a button to undo it where that is possible. */
import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { Button } from "./button";
import { CloseButton } from "./dialog";
import { explain } from "./explain";
import { useAction } from "./hooks";
import { Icon } from "./icons";

interface Notice {
  id: number;
  text: string;
  undo: (() => Promise<void>) | undefined;
}

const SECONDS = 8;
const SECONDS_WITH_UNDO = 20;

const notices = signal<readonly Notice[]>([]);
let made = 0;

/** Says what was done. `undo` takes it back. */
export function notify(text: string, undo?: () => Promise<void>): void {
  made += 1;
  notices.value = [...notices.peek().slice(-2), { id: made, text, undo }];
}

const dismiss = (id: number): void => {
  notices.value = notices.peek().filter((each) => each.id !== id);
};

export function Notices() {
  return (
    <div class="notices" role="status" aria-label="Messages">
      {notices.value.map((notice) => (
        <Shown key={notice.id} notice={notice} />
      ))}
    </div>
  );
}

function Shown({ notice: { id, text, undo } }: { notice: Notice }) {
  useEffect(() => {
    const timer = setTimeout(() => dismiss(id), 1000 * (undo ? SECONDS_WITH_UNDO : SECONDS));
    return () => clearTimeout(timer);
  }, [id]);
  const takeBack = useAction(async () => {
    await undo?.();
    dismiss(id);
  });
  return (
    <p class="notice">
      <Icon name={takeBack.error === null ? "check" : "warning"} />
      <span>{takeBack.error === null ? text : explain(takeBack.error).text}</span>
      {undo && takeBack.error === null && (
        <Button kind="quiet" small busy={takeBack.busy} onClick={() => takeBack.run()}>
          Undo
        </Button>
      )}
      <CloseButton onClick={() => dismiss(id)} />
    </p>
  );
}
