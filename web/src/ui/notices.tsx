/** Short messages about what was done, with a button to undo it where that is possible. */
import { effect, signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { user } from "../api/session";
import { Button } from "./button";
import { CloseButton } from "./dialog";
import { explain } from "./explain";
import type { Again } from "./explanation";
import { useAction } from "./hooks";
import { Icon } from "./icons";

interface Notice {
  id: number;
  text: string;
  undo?: (() => Promise<void>) | undefined;
  /** Whether it says what was not done. */
  failed?: boolean;
}

const SECONDS = 8;
const SECONDS_WITH_UNDO = 20;

export const notices = signal<readonly Notice[]>([]);
let made = 0;

// Whoever signs in next neither reads nor undoes what was done before.
let reader: string | undefined;
effect(() => {
  const uid = user.value?.uid;
  if (uid !== reader) notices.value = [];
  reader = uid;
});

/** Says what was done. `undo` takes it back. */
export const notify = (text: string, undo?: () => Promise<void>): void => add({ text, undo });

/** Says what has failed, where there is no place beside it. */
export const notifyFailure = (error: unknown, again?: Again): void =>
  add({ text: explain(error, again).text, failed: true });

function add(notice: Omit<Notice, "id">): void {
  made += 1;
  notices.value = [...notices.peek().slice(-2), { id: made, ...notice }];
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

function Shown({ notice: { id, text, undo, failed } }: { notice: Notice }) {
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
      <Icon name={failed || takeBack.error !== null ? "warning" : "check"} />
      <span>{takeBack.error === null ? text : explain(takeBack.error, "look").text}</span>
      {undo && takeBack.error === null && (
        <Button kind="quiet" small busy={takeBack.busy} onClick={() => takeBack.run()}>
          Undo
        </Button>
      )}
      <CloseButton onClick={() => dismiss(id)} />
    </p>
  );
}
