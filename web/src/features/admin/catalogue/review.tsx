/** What a change of a document consists of, before it is saved. */
import type { CatalogueChange } from "../../../api/admin-types";
import { Confirm } from "../../../ui/confirm";
import { Dialog } from "../../../ui/dialog";
import { number } from "../../../ui/format";
import { TableScroll } from "../../../ui/table-scroll";
import { shown } from "./documents";

export function Review({
  name,
  change: { before, changes },
  onClose,
  onConfirm,
}: {
  name: string;
  change: CatalogueChange;
  onClose: () => void;
  onConfirm: (reason: string) => Promise<void>;
}) {
  if (changes.length === 0) {
    return (
      <Dialog title="Nothing has changed" narrow onClose={onClose}>
        <p>{name} is stored exactly like this.</p>
      </Dialog>
    );
  }
  const count = changes.length === 1 ? "1 field" : `${number(changes.length)} fields`;
  return (
    <Confirm
      title={before ? `Change ${count} of ${name}` : `Add ${name}`}
      label="Save"
      onClose={onClose}
      onConfirm={onConfirm}
    >
      <TableScroll label="Changes">
        <table class="changes">
          <thead>
            <tr>
              <th scope="col">Field</th>
              <th scope="col">Before</th>
              <th scope="col">After</th>
            </tr>
          </thead>
          <tbody>
            {changes.map((each) => (
              <tr key={each.field}>
                <th scope="row">{each.field}</th>
                <td>
                  <del>{shown(each.before)}</del>
                </td>
                <td>
                  <ins>{shown(each.after)}</ins>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </TableScroll>
      <p class="note">
        Apps see it within about a minute. It can be undone in the{" "}
        <a href="/operations?tab=log">log</a>.
      </p>
    </Confirm>
  );
}
