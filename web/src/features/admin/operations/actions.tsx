/** The log of what administrators did. Changes of the catalogue can be undone. */
import { useState } from "preact/hooks";
import { admin } from "../../../api/admin";
import type { ActionPage, AdminAction } from "../../../api/admin-types";
import { Button } from "../../../ui/button";
import { Confirm } from "../../../ui/confirm";
import { notify } from "../../../ui/notices";
import { Empty } from "../../../ui/page";
import { PagedList, usePaged } from "../../../ui/paged";
import { TableScroll } from "../../../ui/table-scroll";
import { ExactTime } from "../../../ui/when";
import { DocumentLink } from "../document-link";
import { undoActions } from "../undo";

export function Actions() {
  const list = usePaged<AdminAction>(async (pageToken) => {
    const page = await admin<ActionPage>("GET", "/adminActions", { pageToken, pageSize: 25 });
    return { items: page.adminActions, nextPageToken: page.nextPageToken };
  }, []);
  const [undoes, setUndoes] = useState<AdminAction | null>(null);
  return (
    <>
      <PagedList
        list={list}
        empty={
          <Empty icon="operations" title="Nothing has been done yet">
            Every change by an administrator is kept here, with its reason.
          </Empty>
        }
      >
        {(actions) => (
          <section class="card flush">
            <TableScroll label="The log">
              <table>
                <thead>
                  <tr>
                    <th scope="col">When</th>
                    <th scope="col">Action</th>
                    <th scope="col">Reason</th>
                    <th scope="col">
                      <span class="visually-hidden">Undo</span>
                    </th>
                  </tr>
                </thead>
                <tbody>
                  {actions.map((action) => (
                    <Row key={action.actionId} action={action} onUndo={() => setUndoes(action)} />
                  ))}
                </tbody>
              </table>
            </TableScroll>
          </section>
        )}
      </PagedList>
      {undoes && (
        <Confirm
          title="Undo the change"
          label="Undo"
          onClose={() => setUndoes(null)}
          onConfirm={async (reason) => {
            await undoActions([undoes.actionId], reason);
            notify(`${undoes.subject} is as it was.`);
            list.reload();
          }}
        >
          <p>
            {undoes.subject} gets the fields that it had before. If it has been changed since,
            nothing happens.
          </p>
        </Confirm>
      )}
    </>
  );
}

function Row({ action, onUndo }: { action: AdminAction; onUndo: () => void }) {
  return (
    <tr>
      <td>
        <ExactTime iso={action.at} />
      </td>
      <th scope="row" class="any-length">
        {action.action}
        <span class="note block">
          {action.subject && <DocumentLink path={action.subject} />} by {action.by}
        </span>
      </th>
      <td class="any-length">{action.reason}</td>
      <td class="end">
        {action.undoable && (
          <Button small icon="refund" onClick={onUndo}>
            Undo
          </Button>
        )}
      </td>
    </tr>
  );
}
