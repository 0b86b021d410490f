/** Filters that are part of the address. */
import { useEffect, useState } from "preact/hooks";
import { Button } from "./button";
import { Select } from "./fields";
import { Icon } from "./icons";
import { go, place, withQuery } from "./router";

const PAUSE_MILLISECONDS = 300;

/** What a filter is set to; "" for none. */
export const filtered = (name: string): string => place.value.query.get(name) ?? "";

const set = (name: string, value: string): void =>
  go(withQuery({ [name]: value }), { replace: true });

/** One of some values, or any. */
export function ChoiceFilter({
  name,
  options,
  names = {},
  any = `Any ${name}`,
}: {
  name: string;
  options: readonly string[];
  /** What options are called that are not called by their value. */
  names?: Readonly<Record<string, string>>;
  any?: string;
}) {
  const chosen = filtered(name);
  return (
    <Select
      label={`Filter by ${name}`}
      placeholder={any}
      value={chosen}
      options={chosen && !options.includes(chosen) ? [chosen, ...options] : options}
      names={names}
      onChange={(value) => set(name, value)}
    />
  );
}

/** Text; the list follows when the typing pauses. */
export function TextFilter({ name, label }: { name: string; label: string }) {
  const chosen = filtered(name);
  const [typed, setTyped] = useState(chosen);
  useEffect(() => {
    if (chosen !== typed.trim()) setTyped(chosen);
  }, [chosen]);
  useEffect(() => {
    if (typed.trim() === chosen) return;
    const timer = setTimeout(() => set(name, typed.trim()), PAUSE_MILLISECONDS);
    return () => clearTimeout(timer);
  }, [typed]);
  return (
    <span class="text-filter">
      <Icon name="search" size={16} />
      <input
        type="search"
        aria-label={label}
        placeholder={label}
        autocomplete="off"
        spellcheck={false}
        value={typed}
        onInput={(event) => setTyped(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key === "Enter") set(name, typed.trim());
        }}
      />
    </span>
  );
}

/** A day: "from" or "to". */
export function DateFilter({ name, label }: { name: string; label: string }) {
  return (
    <label class="date-filter">
      <span>{label}</span>
      <input
        type="date"
        value={filtered(name)}
        onChange={(event) => set(name, event.currentTarget.value)}
      />
    </label>
  );
}

/** Takes all of these filters off; nothing where none is set. */
export function ClearFilters({ names }: { names: readonly string[] }) {
  if (!names.some(filtered)) return null;
  const none = Object.fromEntries(names.map((name) => [name, ""]));
  return (
    <Button kind="quiet" small icon="close" onClick={() => go(withQuery(none), { replace: true })}>
      Clear
    </Button>
  );
}
