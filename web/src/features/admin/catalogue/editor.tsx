/** The page of one document, with its form. */
import { admin, at } from "../../../api/admin";
import type { CatalogueDocument, CatalogueKind, FullCatalogue } from "../../../api/admin-types";
import { Failure } from "../../../ui/failure";
import { useTitle } from "../../../ui/hooks";
import { Empty, PageHead, Skeleton } from "../../../ui/page";
import { useResource } from "../../../ui/resource";
import { go, segment } from "../../../ui/router";
import { Form } from "./form";
import { KINDS, listOf } from "./kinds";

/** An empty name: a document that is yet to be made. */
export function Editor({ kind, name }: { kind: CatalogueKind; name: string }) {
  const { one, title, initial } = KINDS[kind];
  useTitle(name || `New ${one}`);
  const loaded = useResource(() => admin<FullCatalogue>("GET", "/catalogue"), [kind, name]);
  const found = loaded.value?.[kind].find((each) => each.name === name);
  const shown: CatalogueDocument | undefined = name
    ? found
    : { name: "", document: initial, problems: [] };
  return (
    <>
      <PageHead title={name || `New ${one}`}>
        <a href={listOf(kind)}>{title}</a>
      </PageHead>
      {loaded.error !== null && <Failure error={loaded.error} onRetry={loaded.reload} />}
      {!loaded.value && loaded.error === null && <Skeleton height="20rem" />}
      {loaded.value && !shown && <Empty icon="catalogue" title={`There is no such ${one}`} />}
      {loaded.value && shown && (
        <Form
          key={JSON.stringify(shown)}
          kind={kind}
          original={shown}
          onStored={(stored) => {
            loaded.reload();
            // It was new, or something is undone after its page was left.
            if (segment() !== kind || segment(2) !== stored)
              go(at`/catalogue/${kind}/${stored}`, { replace: !name });
          }}
        />
      )}
    </>
  );
}
