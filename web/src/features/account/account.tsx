/** The user's own account. */
import { useTitle } from "../../ui/hooks";
import { PageHead } from "../../ui/page";

export function Account() {
  useTitle("Account");
  return <PageHead title="Account" />;
}
