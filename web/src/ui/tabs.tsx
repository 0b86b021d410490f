import type { ComponentChildren } from "preact";
import { useId, useRef, useState } from "preact/hooks";

/** Tabs as in the ARIA pattern: arrow keys move the focus, and the panel follows it. */
export function Tabs({
  label,
  tabs,
}: {
  label: string;
  tabs: readonly { name: string; body: () => ComponentChildren; aside?: () => ComponentChildren }[];
}) {
  const [chosen, setChosen] = useState(0);
  const id = useId();
  const list = useRef<HTMLDivElement>(null);
  const move = (event: KeyboardEvent) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    const next = step
      ? (chosen + step + tabs.length) % tabs.length
      : event.key === "Home"
        ? 0
        : event.key === "End"
          ? tabs.length - 1
          : null;
    if (next === null) return;
    event.preventDefault();
    setChosen(next);
    list.current?.querySelectorAll<HTMLElement>("[role=tab]")[next]?.focus();
  };
  return (
    <div class="tabs">
      <div class="tab-bar">
        <div class="tab-list" role="tablist" aria-label={label} ref={list} onKeyDown={move}>
          {tabs.map((tab, index) => (
            <button
              type="button"
              role="tab"
              key={tab.name}
              id={`${id}-tab-${index}`}
              aria-selected={index === chosen}
              aria-controls={`${id}-panel`}
              tabIndex={index === chosen ? 0 : -1}
              onClick={() => setChosen(index)}
            >
              {tab.name}
            </button>
          ))}
        </div>
        {tabs[chosen]?.aside?.()}
      </div>
      <div role="tabpanel" id={`${id}-panel`} aria-labelledby={`${id}-tab-${chosen}`}>
        {tabs[chosen]?.body()}
      </div>
    </div>
  );
}
