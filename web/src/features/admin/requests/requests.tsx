/** The generation requests of all users. */
import { ChoiceFilter, ClearFilters, DateFilter, TextFilter } from "../../../ui/filters";
import { useTitle } from "../../../ui/hooks";
import { PageHead } from "../../../ui/page";
import { useCatalogue } from "../../generation/catalogue";
import { FILTERS, RequestList } from "./request-list";

const STATUSES = ["pending", "processing", "completed", "failed", "canceled"];

export function Requests() {
  useTitle("Requests");
  const catalogue = useCatalogue();
  const models = catalogue.state === "ready" ? catalogue.value.models.map(({ name }) => name) : [];
  return (
    <>
      <PageHead title="Requests">What all users have created, newest first.</PageHead>
      <div class="filters" role="search" aria-label="Filters">
        <TextFilter name="query" label="Id of a request" />
        <TextFilter name="userId" label="User id" />
        <ChoiceFilter name="status" options={STATUSES} />
        <ChoiceFilter name="model" options={models} />
        <DateFilter name="from" label="From" />
        <DateFilter name="to" label="To" />
        <ClearFilters names={FILTERS} />
      </div>
      <RequestList />
    </>
  );
}
