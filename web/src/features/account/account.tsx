/** The user's own account. */
import { signedIn } from "../../api/session";
import { Identifier } from "../../ui/button";
import { Fact, Facts } from "../../ui/facts";
import { useTitle } from "../../ui/hooks";
import { PageHead } from "../../ui/page";

export function Account() {
  useTitle("Account");
  const me = signedIn();
  return (
    <>
      <PageHead title="Account">Who you are here.</PageHead>
      <section class="card" aria-labelledby="who-title">
        <h2 id="who-title">You</h2>
        <Facts>
          <Fact name="Name">{me.name}</Fact>
          <Fact name="User id">
            <Identifier value={me.uid} />
          </Fact>
          {me.isAdmin && <Fact name="Role">administrator</Fact>}
        </Facts>
      </section>
    </>
  );
}
