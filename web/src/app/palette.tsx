/** The palette: Ctrl+K or ⌘K, a few letters, Enter. A combobox as in the ARIA pattern. */
import { useEffect, useId, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { User } from "../api/session";
import { Icon } from "../ui/icons";
import { type Command, commandsFor, searchFor } from "./commands";

const PAUSE_MILLISECONDS = 200;

export function Palette({ user }: { user: User }) {
  const [open, setOpen] = useState(false);
  // Before the page is painted, as below: whoever sees the page can use the key.
  useLayoutEffect(() => {
    const toggle = (event: KeyboardEvent) => {
      if (event.key.toLowerCase() !== "k" || !(event.metaKey || event.ctrlKey)) return;
      if (event.altKey || event.shiftKey || event.repeat) return;
      event.preventDefault();
      setOpen((before) => !before);
    };
    document.addEventListener("keydown", toggle);
    return () => document.removeEventListener("keydown", toggle);
  }, []);
  return (
    <>
      <button type="button" class="palette-opener" onClick={() => setOpen(true)}>
        <Icon name="search" size={16} />
        <span>Go to…</span>
        <kbd>{/Mac|iP/.test(navigator.platform) ? "⌘K" : "Ctrl K"}</kbd>
      </button>
      {open && <OpenPalette user={user} onClose={() => setOpen(false)} />}
    </>
  );
}

function OpenPalette({ user, onClose }: { user: User; onClose: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const [typed, setTyped] = useState("");
  const [chosen, setChosen] = useState(0);
  const id = useId();
  // Before the page is painted, so that what is typed at once is not lost.
  useLayoutEffect(() => dialog.current?.showModal(), []);
  const search = useSearch(typed, user);
  const commands = [...commandsFor(typed, user), ...search.found];
  const label = user.isAdmin
    ? "Screen, user, action or id of a request"
    : "Screen, action or id of a request";
  const at = Math.min(chosen, commands.length - 1);
  const run = (index: number) => {
    const command = commands[index];
    if (!command) return;
    dialog.current?.close();
    command.run();
  };
  const byKey = (event: KeyboardEvent) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && commands.length > 0) {
      event.preventDefault();
      setChosen((at + step + commands.length) % commands.length);
    } else if (event.key === "Enter" && !event.repeat) {
      event.preventDefault();
      run(at);
    }
  };
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: Escape closes a dialog by itself
    <dialog
      class="palette"
      ref={dialog}
      aria-label="Go to"
      onClose={onClose}
      onClick={(event) => {
        if (event.target === event.currentTarget) dialog.current?.close();
      }}
    >
      <input
        type="text"
        role="combobox"
        aria-label={label}
        aria-expanded={commands.length > 0}
        aria-controls={`${id}-list`}
        aria-activedescendant={commands[at] ? `${id}-${at}` : undefined}
        autocomplete="off"
        spellcheck={false}
        placeholder={label}
        value={typed}
        onInput={(event) => {
          setTyped(event.currentTarget.value);
          setChosen(0);
        }}
        onKeyDown={byKey}
      />
      {commands.length === 0 && (
        <p class="note palette-empty">{search.busy ? "Searching…" : "Nothing is called that."}</p>
      )}
      {search.failed && <p class="note palette-empty">The search for users did not answer.</p>}
      <div role="listbox" id={`${id}-list`} aria-label="Found">
        {commands.map((command, index) => (
          // biome-ignore lint/a11y/useKeyWithClickEvents: the keys are those of the text field
          // biome-ignore lint/a11y/useFocusableInteractive: the focus stays in the text field
          <div
            key={command.name}
            id={`${id}-${index}`}
            role="option"
            aria-selected={index === at}
            onPointerMove={() => setChosen(index)}
            onClick={() => run(index)}
          >
            <Icon name={command.icon} />
            {command.name}
          </div>
        ))}
      </div>
    </dialog>
  );
}

/** What the server finds for what was typed, when the typing pauses. Late answers are dropped. */
function useSearch(typed: string, user: User) {
  const [state, setState] = useState<{ found: Command[]; busy: boolean; failed: boolean }>({
    found: [],
    busy: false,
    failed: false,
  });
  useEffect(() => {
    let stopped = false;
    const settle = (found: Command[], failed: boolean) => {
      if (!stopped) setState({ found, busy: false, failed });
    };
    setState({ found: [], busy: true, failed: false });
    const timer = setTimeout(() => {
      searchFor(typed, user).then(
        (found) => settle(found, false),
        () => settle([], true),
      );
    }, PAUSE_MILLISECONDS);
    return () => {
      stopped = true;
      clearTimeout(timer);
    };
  }, [typed, user]);
  return state;
}
