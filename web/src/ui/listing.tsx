/** A table of things that each have a page of their own, in a card. */
import type { ComponentChildren } from "preact";
import { TableScroll } from "./table-scroll";

export function Listing({
  label,
  head,
  children,
}: {
  /** What is listed: "Users". */
  label: string;
  /** The cells of the head. */
  head: ComponentChildren;
  /** The rows. */
  children: ComponentChildren;
}) {
  return (
    <section class="card flush">
      <TableScroll label={label}>
        <table class="listing">
          <thead>
            <tr>{head}</tr>
          </thead>
          <tbody>{children}</tbody>
        </table>
      </TableScroll>
    </section>
  );
}
