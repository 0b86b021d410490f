/** The documents of one kind, in the order of the apps, which can be changed. */
import { at } from "../../../api/admin";
import type { CatalogueDocument, CatalogueKind } from "../../../api/admin-types";
import { explain } from "../../../ui/explain";
import { number } from "../../../ui/format";
import { useAction } from "../../../ui/hooks";
import { Icon } from "../../../ui/icons";
import { notify } from "../../../ui/notices";
import { Empty } from "../../../ui/page";
import { TableScroll } from "../../../ui/table-scroll";
import { undoActions } from "../undo";
import { moved } from "./documents";
import { KINDS } from "./kinds";
import { moveDocument } from "./move";
import { StateBadge } from "./state-badge";

/** What the credits of a document are. */
const AMOUNTS: Partial<Record<CatalogueKind, string>> = { sizes: "Price", products: "Credits" };

export function DocumentList({
  kind,
  documents,
  onChange,
  onReload,
}: {
  kind: CatalogueKind;
  documents: readonly CatalogueDocument[];
  /** Shows these until they are loaded again. */
  onChange: (documents: readonly CatalogueDocument[]) => void;
  onReload: () => void;
}) {
  const move = useAction(async (name: string, to: string) => {
    const changes = moved(documents, name, to);
    onChange(documents.map((each) => changes.find((one) => one.name === each.name) ?? each));
    try {
      const actions = await moveDocument(kind, name, to);
      if (actions.length > 0)
        notify("The order is changed.", async () => {
          await undoActions(actions, "The order was changed by mistake.");
          onReload();
        });
    } finally {
      onReload(); // what is stored now, whoever has changed it
    }
  });
  const amount = AMOUNTS[kind];
  if (documents.length === 0) {
    return <Empty icon="catalogue" title={`There are no ${kind} yet`} />;
  }
  return (
    <section class="card flush">
      {move.error !== null && <p class="banner">{explain(move.error).text}</p>}
      <TableScroll label={KINDS[kind].title}>
        <table class="listing">
          <thead>
            <tr>
              <th scope="col">Name</th>
              <th scope="col">State</th>
              {amount && (
                <th scope="col" class="end wide-cell">
                  {amount}
                </th>
              )}
              <th scope="col" class="end">
                Order
              </th>
            </tr>
          </thead>
          <tbody>
            {documents.map((each, index) => (
              <tr key={each.name}>
                <th scope="row" class="any-length">
                  <a class="row-link" href={at`/catalogue/${kind}/${each.name}`}>
                    {each.name}
                  </a>
                  {typeof each.document.description === "string" && (
                    <span class="note block">{each.document.description}</span>
                  )}
                </th>
                <td>
                  <StateBadge document={each} />
                </td>
                {amount && (
                  <td class="end wide-cell">
                    {typeof each.document.credits === "number" && number(each.document.credits)}
                  </td>
                )}
                <td class="end nowrap">
                  <Mover
                    name={each.name}
                    direction="up"
                    past={documents[index - 1]}
                    onMove={(past) => move.run(each.name, past)}
                  />
                  <Mover
                    name={each.name}
                    direction="down"
                    past={documents[index + 1]}
                    onMove={(past) => move.run(each.name, past)}
                  />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </TableScroll>
    </section>
  );
}

/** It stays focusable at the ends of the list, so that a document can be moved by one key. */
function Mover({
  name,
  direction,
  past,
  onMove,
}: {
  name: string;
  direction: "up" | "down";
  /** The document whose place it takes; none at the end of the list. */
  past: CatalogueDocument | undefined;
  onMove: (past: string) => void;
}) {
  return (
    <button
      type="button"
      class="button quiet icon-only"
      aria-label={`Move ${name} ${direction}`}
      aria-disabled={!past}
      onClick={() => {
        if (past) onMove(past.name);
      }}
    >
      <Icon name={direction} />
    </button>
  );
}
