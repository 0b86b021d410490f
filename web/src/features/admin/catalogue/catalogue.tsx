/** Everything on offer, and what is not: /catalogue?kind=sizes, /catalogue/sizes/512x512. */
import { admin } from "../../../api/admin";
import type { FullCatalogue } from "../../../api/admin-types";
import { Failure } from "../../../ui/failure";
import { filtered } from "../../../ui/filters";
import { useTitle } from "../../../ui/hooks";
import { Icon } from "../../../ui/icons";
import { PageHead, Skeleton } from "../../../ui/page";
import { useResource } from "../../../ui/resource";
import { Tabs } from "../../../ui/tabs";
import { DocumentList } from "./document-list";
import { sorted } from "./documents";
import { KINDS, ORDER } from "./kinds";

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
              <DocumentList
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
