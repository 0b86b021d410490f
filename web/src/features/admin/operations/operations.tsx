/** What is run by hand, and what administrators have done. */
import { useTitle } from "../../../ui/hooks";
import { PageHead } from "../../../ui/page";
import { Tabs } from "../../../ui/tabs";
import { Actions } from "./actions";
import { Audits } from "./audits";
import { ReportedImages } from "./reported-images";
import { Runs } from "./runs";

export function Operations() {
  useTitle("Operations");
  return (
    <>
      <PageHead title="Operations">
        Check the books, judge reported images, set right what was interrupted, look up who changed
        what.
      </PageHead>
      <Tabs
        label="Operations"
        parameter="tab"
        tabs={[
          { name: "Audits", body: () => <Audits /> },
          { name: "Reported images", body: () => <ReportedImages /> },
          { name: "Runs", body: () => <Runs /> },
          { name: "Log", body: () => <Actions /> },
        ]}
      />
    </>
  );
}
