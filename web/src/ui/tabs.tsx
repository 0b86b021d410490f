import type { ComponentChildren } from "preact";
import { useEffect, useId, useRef, useState } from "preact/hooks";
import { go, place, withQuery } from "./router";

/** Tabs as in the ARIA pattern: arrow keys move the focus, and the panel follows it. */
export function Tabs({
  label,
  parameter,
  tabs,
}: {
  label: string;
  /** The query parameter that holds the chosen tab, if it is part of the address. */
  parameter?: string;
  tabs: readonly { name: string; body: () => ComponentChildren; aside?: () => ComponentChildren }[];
}) {
  const [local, setLocal] = useState(0);
  const addressed = parameter ? place.value.query.get(parameter) : null;
  const chosen = parameter
    ? Math.max(
        0,
        tabs.findIndex((tab) => slug(tab.name) === addressed),
      )
    : local;
  const setChosen = (index: number) => {
    if (!parameter) return setLocal(index);
    const name = index === 0 ? "" : slug(tabs[index]?.name ?? "");
    go(withQuery({ [parameter]: name }), { replace: true });
  };
  const id = useId();
  const list = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const tab = list.current?.children[chosen];
    if (!(list.current && tab instanceof HTMLElement)) return;
    // On a small window the bar is wider than the page. scrollIntoView would move the page, too.
    const { offsetLeft, offsetWidth } = tab;
    const { scrollLeft, clientWidth } = list.current;
    if (offsetLeft + offsetWidth > scrollLeft + clientWidth || offsetLeft < scrollLeft)
      list.current.scrollLeft = offsetLeft - (clientWidth - offsetWidth) / 2;
  }, [chosen]);
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

const slug = (name: string): string => name.toLowerCase().replaceAll(" ", "-");
