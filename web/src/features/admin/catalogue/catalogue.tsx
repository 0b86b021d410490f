/** Everything on offer, and what is not: /catalogue?kind=sizes, /catalogue/sizes/512x512. */
import { useState } from "preact/hooks";
import { admin, at } from "../../../api/admin";
import type {
  CatalogueChange,
  CatalogueDocument,
  CatalogueKind,
  FullCatalogue,
} from "../../../api/admin-types";
import { Badge } from "../../../ui/badge";
import { explain } from "../../../ui/explain";
import { Failure } from "../../../ui/failure";
import { filtered } from "../../../ui/filters";
import { number } from "../../../ui/format";
import { useAction, useTitle } from "../../../ui/hooks";
import { Icon } from "../../../ui/icons";
import { notify } from "../../../ui/notices";
import { Empty, PageHead, Skeleton } from "../../../ui/page";
import { useResource } from "../../../ui/resource";
import { TableScroll } from "../../../ui/table-scroll";
import { Tabs } from "../../../ui/tabs";
import { undoActions } from "../undo";
import { moved, sorted } from "./documents";
import { KINDS, ORDER } from "./kinds";

/** What the credits of a document are. */
const AMOUNTS: Partial<Record<CatalogueKind, string>> = { sizes: "Price", products: "Credits" };

export function Catalogue() {
  useTitle("Catalogue");
  const loaded = useResource(() => admin<FullCatalogue>("GET", "/catalogue"), []);
  const kind = ORDER.find((each) => each === filtered("kind")) ?? "models";
  return (
    <>
      <PageHead
        title="Catalogue"
        actions={
          <a class="button primary" href={`/catalogue/new/${kind}`}>
            <Icon name="create" /> Add a {KINDS[kind].one}
          </a>
        }
      >
        Models, styles, colors, sizes with their prices, and products, in the order of the apps.
      </PageHead>
      {loaded.error !== null && <Failure error={loaded.error} onRetry={loaded.reload} />}
      {!loaded.value && loaded.error === null && <Skeleton height="20rem" />}
      {loaded.value && (
        <Tabs
          label="Kinds"
          parameter="kind"
          tabs={ORDER.map((each) => ({
            name: KINDS[each].title,
            body: () => (
              <Documents
                kind={each}
                documents={sorted(loaded.value?.[each] ?? [])}
                onChange={(documents) =>
                  loaded.change((catalogue) => ({ ...catalogue, [each]: documents }))
                }
                onReload={loaded.reload}
              />
            ),
          }))}
        />
      )}
    </>
  );
}

function Documents({
  kind,
  documents,
  onChange,
  onReload,
}: {
  kind: CatalogueKind;
  documents: readonly CatalogueDocument[];
  onChange: (documents: readonly CatalogueDocument[]) => void;
  onReload: () => void;
}) {
  const [problem, setProblem] = useState<unknown>(null);
  const move = useAction(async (from: number, to: number) => {
    const changes = moved(documents, from, to);
    setProblem(null);
    // Shown at once; if the server refuses, what it has is shown again.
    onChange(documents.map((each) => changes.find(({ name }) => name === each.name) ?? each));
    const actions: string[] = [];
    try {
      for (const { name, document } of changes) {
        const { actionId } = await admin<CatalogueChange>("PUT", at`/${kind}/${name}`, {
          document,
          reason: "Moved in the list.",
        });
        if (actionId) actions.push(actionId);
      }
    } catch (error) {
      setProblem(error);
      onReload();
      return;
    }
    notify("The order is changed.", async () => {
      await undoActions(actions, "The order was changed by mistake.");
      onReload();
    });
  });
  const amount = AMOUNTS[kind];
  if (documents.length === 0) {
    return <Empty icon="catalogue" title={`There are no ${kind} yet`} />;
  }
  return (
    <section class="card flush">
      {problem !== null && <p class="banner">{explain(problem).text}</p>}
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
                    disabled={index === 0}
                    onMove={() => move.run(index, index - 1)}
                  />
                  <Mover
                    name={each.name}
                    direction="down"
                    disabled={index === documents.length - 1}
                    onMove={() => move.run(index, index + 1)}
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
  disabled,
  onMove,
}: {
  name: string;
  direction: "up" | "down";
  disabled: boolean;
  onMove: () => void;
}) {
  return (
    <button
      type="button"
      class="button quiet icon-only"
      aria-label={`Move ${name} ${direction}`}
      aria-disabled={disabled}
      onClick={() => {
        if (!disabled) onMove();
      }}
    >
      <Icon name={direction} />
    </button>
  );
}

export function StateBadge({ document: { document, problems } }: { document: CatalogueDocument }) {
  if (problems.length > 0) {
    return (
      <>
        <Badge tone="bad">broken</Badge>
        {problems.map(({ field, description }) => (
          <span key={field} class="note block problem">
            {field && `${field.replace(/^document\./, "")}: `}
            {description}
          </span>
        ))}
      </>
    );
  }
  return document.enabled === false ? (
    <Badge tone="neutral">disabled</Badge>
  ) : (
    <Badge tone="good">on offer</Badge>
  );
}
