/** The user's own account: who it is, everything that is stored, and the end of it. */
import { useState } from "preact/hooks";
import { signedIn } from "../../api/session";
import { Button, Identifier } from "../../ui/button";
import { Fact, Facts } from "../../ui/facts";
import { useTitle } from "../../ui/hooks";
import { PageHead } from "../../ui/page";
import { DeleteAccount } from "./delete-account";
import { ExportAccount } from "./export-account";

export function Account() {
  useTitle("Account");
  const me = signedIn();
  const [deletes, setDeletes] = useState(false);
  return (
    <>
      <PageHead title="Account">Who you are here, and what is stored about you.</PageHead>
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
      <ExportAccount />
      <section class="card" aria-labelledby="delete-title">
        <h2 id="delete-title">Delete your account</h2>
        <p class="note account-note">
          Your images, prompts and photos are deleted, and your credits are lost. Payments stay in
          the books without your name.
        </p>
        <Button kind="danger" icon="trash" onClick={() => setDeletes(true)}>
          Delete my account
        </Button>
      </section>
      {deletes && <DeleteAccount onClose={() => setDeletes(false)} />}
    </>
  );
}
