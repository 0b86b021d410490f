/** All generation requests of a user, newest first. */
import type { User } from "../../api/session";
import type { Catalogue } from "../../api/types";
import { Button } from "../../ui/button";
import { Select } from "../../ui/fields";
import { useTitle } from "../../ui/hooks";
import { PageHead } from "../../ui/page";
import { go, place, withQuery } from "../../ui/router";
import { useCatalogue } from "../generation/catalogue";
import { Cards } from "./cards";
import { Detail } from "./detail";
import { FILTERS, type Filters } from "./filters";
import { Large } from "./large";

const STATUSES = ["pending", "processing", "completed", "failed", "canceled"];

export function Gallery({ user, requestId }: { user: User; requestId: string }) {
  useTitle("Gallery");
  const catalogue = useCatalogue();
  const { query } = place.value;
  const userId = (user.isAdmin && query.get("user")) || user.uid;
  const filters: Filters = Object.fromEntries(
    FILTERS.flatMap((name) => (query.get(name) ? [[name, query.get(name)]] : [])),
  );
  const filtered = Object.keys(filters).length > 0;
  const known = catalogue.state === "ready" ? catalogue.value : null;
  return (
    <>
      <PageHead
        title="Gallery"
        actions={
          <a class="button primary" href="/create">
            Create an image
          </a>
        }
      >
        {userId === user.uid
          ? "Everything you ordered, newest first."
          : `What ${userId} ordered, newest first.`}
      </PageHead>
      <div class="filters" role="group" aria-label="Filters">
        {FILTERS.map((name) => (
          <Select
            key={name}
            label={`Filter by ${name}`}
            placeholder={`Any ${name}`}
            value={filters[name] ?? ""}
            options={optionsOf(name, known, filters[name])}
            onChange={(value) => go(withQuery({ [name]: value }), { replace: true })}
          />
        ))}
        {filtered && (
          <Button
            kind="quiet"
            small
            icon="close"
            onClick={() =>
              go(withQuery(Object.fromEntries(FILTERS.map((name) => [name, ""]))), {
                replace: true,
              })
            }
          >
            Clear
          </Button>
        )}
      </div>
      <Cards
        key={JSON.stringify([userId, filters])}
        userId={userId}
        filters={filters}
        catalogue={known}
        filtered={filtered}
      />
      {requestId && query.get("view") === "image" && <Large id={requestId} />}
      {requestId && query.get("view") !== "image" && (
        <Detail key={requestId} id={requestId} catalogue={known} own={userId === user.uid} />
      )}
    </>
  );
}

function optionsOf(
  name: (typeof FILTERS)[number],
  catalogue: Catalogue | null,
  chosen: string | undefined,
): string[] {
  const options =
    name === "status" ? STATUSES : (catalogue?.[`${name}s`] ?? []).map((each) => each.name);
  return chosen && !options.includes(chosen) ? [chosen, ...options] : options;
}
