import type { ComponentChildren } from "preact";

/** A table that scrolls sideways where it is wider than its place, by keyboard too. */
export function TableScroll({
  labelledBy,
  label,
  children,
}: {
  /** The id of what names the table, or the name itself. */
  labelledBy?: string;
  label?: string;
  children: ComponentChildren;
}) {
  return (
    <div
      class="table-scroll"
      tabIndex={0}
      role="group"
      aria-labelledby={labelledBy}
      aria-label={label}
    >
      {children}
    </div>
  );
}
